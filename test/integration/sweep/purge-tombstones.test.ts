/** The purge on a real outbox and a real graph: a late upsert never leaves a ghost. */
import type { ObjectId } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { discard } from '../../../cli/dead/discard.ts';
import { acknowledgeEvents } from '../../../lib/consumer/mongodb-acknowledge.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import type { AggregateState } from '../../../lib/graph/aggregate-state.ts';
import type { BatchResults } from '../../../lib/graph/apply-batch.ts';
import { joinGraph } from '../../../lib/graph/wiring.ts';
import { setUpOutbox } from '../../../lib/set-up/mongodb-outbox.ts';
import { purgeTombstones } from '../../../lib/sweep/purge-tombstones.ts';
import type { ListedTombstone } from '../../../lib/sweep/tombstone.ts';
import { joinOutbox, joinTombstones } from '../../../lib/sweep/wiring.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { openSmallGraph } from '../../support/small-graph.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

// Less than the deployed sweep's retention, because that sweep does not know this outbox.
const retentionDays = 15;

let database: TestDatabase;
let small: Awaited<ReturnType<typeof openSmallGraph>>;
beforeAll(async () => {
  database = await createTestDatabase();
  small = await openSmallGraph();
});
afterAll(async () => {
  await small.clear();
  await database.drop();
});

const outbox = () => database.db.collection(outboxCollection);
const keyOf = (id: string) => `graph:${small.graph.label}-${id}`;

/** Runs one purge that sees only this test's tombstones. */
async function purge(): Promise<number> {
  const tombstones = joinTombstones(small.graph.driver, 'neo4j');
  const ports = { ...joinOutbox(database.db), ...tombstones, remainingMillis: () => 60_000 };
  const own = async (page: Parameters<typeof tombstones.listTombstones>[0]): Promise<readonly ListedTombstone[]> =>
    (await tombstones.listTombstones(page)).filter(({ key }) => key.startsWith(keyOf('')));
  return purgeTombstones({ ...ports, listTombstones: own }, retentionDays);
}

const query = (statement: string, parameters: object) => small.graph.driver.executeQuery(statement, parameters);
/** Makes a time of a tombstone older. */
const age = (id: string, property: string, duration: string) =>
  query(`MATCH (a:OutgraphAggregate {key: $key}) SET a.${property} = a.${property} - duration($duration)`, {
    key: keyOf(id),
    duration,
  });
const countTombstones = (id: string) =>
  small.count('MATCH (a:OutgraphAggregate {key: $key}) RETURN count(a) AS value', { key: keyOf(id) });
const eventOf = (id: string, fields: object): { readonly _id: ObjectId } =>
  upsertEvent({ nodes: [] }, { aggregateId: `${small.graph.label}-${id}`, ...fields });
const dead = { status: 'dead', deadAt: new Date(), error: { code: 'test', message: 'held back' } };

it('a tombstone is purged once it is older than the retention, and not earlier', async () => {
  await small.apply([small.state('old', null), small.state('young', null)]);
  await age('old', 'deletedAt', 'P15DT1S');
  await age('young', 'deletedAt', 'P14DT23H59M');
  expect(await purge()).toBe(1);
  expect(await countTombstones('old')).toBe(0);
  expect(await countTombstones('young')).toBe(1);
});

it('a tombstone is kept for an hour after the last settled event, so a late delivery leaves no ghost', async () => {
  // A consumer read it while it was pending, and applies it after everything else.
  const late = small.state('redriven', { nodes: [small.node('ghost')] });
  await small.apply([small.state('redriven', null)]);
  await age('redriven', 'deletedAt', 'P20D');
  const event = eventOf('redriven', dead);
  await outbox().insertOne(event);
  expect(await purge()).toBe(0);
  const settled = { $set: { status: 'processed', processedAt: new Date() }, $unset: { deadAt: '', error: '' } };
  await outbox().updateOne({ _id: event._id }, settled);
  expect(await purge()).toBe(0);
  const results = await small.apply([late]);
  expect([...results.values()]).toMatchObject([{ outcome: 'superseded' }]);
  await age('redriven', 'heldAt', 'PT1H1M');
  expect(await purge()).toBe(1);
  expect(await countTombstones('redriven')).toBe(0);
});

/** Settles the event with the state, as the consumer does. */
async function consume(event: { readonly _id: ObjectId }, state: AggregateState): Promise<BatchResults> {
  const results: BatchResults = new Map();
  await joinGraph(small.graph.driver, 'neo4j', { db: database.db }).applyBatch([state], results);
  await acknowledgeEvents(outbox(), [String(event._id)]);
  return results;
}

it('a tombstone is kept while an older event is processed but not purged, so a replay is harmless', async () => {
  const late = small.state('replayed', { nodes: [small.node('ghost')] });
  await small.apply([small.state('replayed', null)]);
  await age('replayed', 'deletedAt', 'P20D');
  // Dead before the deletion, and redriven after the retention, as quickly as possible between two
  // sweeps.
  const event = eventOf('replayed', {});
  await outbox().insertOne(event);
  expect(await consume(event, late)).toStrictEqual(new Map([[late.key, { outcome: 'superseded' }]]));
  expect(await purge()).toBe(0);
  // It is replayed just before the outbox purges it, and the time starts again.
  await age('replayed', 'supersededAt', 'PT59M');
  expect(await consume(event, late)).toStrictEqual(new Map([[late.key, { outcome: 'superseded' }]]));
  await age('replayed', 'supersededAt', 'PT1H59M');
  expect(await purge()).toBe(0);
  await age('replayed', 'supersededAt', 'PT2M');
  expect(await purge()).toBe(1);
});

it('a tombstone is kept as long as the outbox keeps processed events, if that is longer', async () => {
  await setUpOutbox(database.db, { processedRetentionSeconds: 20 * 86_400 });
  await small.apply([small.state('longer', null)]);
  await age('longer', 'deletedAt', 'P20D');
  expect(await purge()).toBe(0);
  await age('longer', 'deletedAt', 'PT1H1M');
  expect(await purge()).toBe(1);
  await setUpOutbox(database.db, { processedRetentionSeconds: 3_600 });
});

it('a discarded event keeps the tombstone for another hour', async () => {
  await small.apply([small.state('discarded', null)]);
  await age('discarded', 'deletedAt', 'P20D');
  const event = eventOf('discarded', dead);
  await outbox().insertOne(event);
  expect(await purge()).toBe(0);
  const selection = { codes: [], aggregateTypes: [], eventIds: [String(event._id)] };
  const running = { ratePerSecond: 100, signal: new AbortController().signal, progress: () => undefined };
  const later = new Date(Date.now() + 60_000);
  expect(await discard(database.db, selection, later, 'for a test', running)).toMatchObject({ changed: 1 });
  expect(await purge()).toBe(0);
  await age('discarded', 'heldAt', 'PT1H1M');
  expect(await purge()).toBe(1);
});

it('an event that is pending shortly before the retention ends keeps the tombstone', async () => {
  await small.apply([small.state('near', null)]);
  await age('near', 'deletedAt', 'P14DT23H30M');
  const event = eventOf('near', {});
  await outbox().insertOne(event);
  await purge();
  await outbox().updateOne({ _id: event._id }, { $set: { status: 'processed', processedAt: new Date() } });
  await age('near', 'deletedAt', 'PT50M');
  expect(await purge()).toBe(0);
});

it('an aggregate that was re-created and deleted again has a new tombstone', async () => {
  await small.apply([small.state('twice', null)]);
  await age('twice', 'deletedAt', 'P20D');
  await small.apply([small.state('twice', { nodes: [small.node('twice')] })]);
  await small.apply([small.state('twice', null)]);
  await purge();
  expect(await countTombstones('twice')).toBe(1);
});

it('pages contain each tombstone once, even if many were deleted in the same instant', async () => {
  const ids = Array.from({ length: 7 }, (_, index) => `page${index}`);
  await small.apply(ids.map((id) => small.state(id, null)));
  await query(
    `MATCH (a:OutgraphAggregate) WHERE a.key STARTS WITH $prefix
     SET a.deletedAt = datetime('2020-01-01T00:00:00.123456789Z')`,
    { prefix: keyOf('page') },
  );
  const { listTombstones } = joinTombstones(small.graph.driver, 'neo4j');
  const found: string[] = [];
  let after: ListedTombstone | null = null;
  for (;;) {
    // Much older than the tombstones of any other test.
    const page: readonly ListedTombstone[] = await listTombstones({
      olderThanDays: 1_500,
      processedSeconds: 3_600,
      limit: 3,
      after,
    });
    after = page.at(-1) ?? null;
    if (after === null) break;
    found.push(...page.map(({ key }) => key));
  }
  expect(found).toStrictEqual(ids.map(keyOf));
});
