/** The purge on a real outbox and a real graph: a late upsert never brings a ghost back. */
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

// Younger than what the deployed sweep purges, which does not know this outbox.
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

/** One purge that sees this test's tombstones only. */
async function purge(): Promise<number> {
  const tombstones = joinTombstones(small.graph.driver, 'neo4j');
  const ports = { ...joinOutbox(database.db), ...tombstones, remainingMillis: () => 60_000 };
  const own = async (page: Parameters<typeof tombstones.listTombstones>[0]): Promise<readonly ListedTombstone[]> =>
    (await tombstones.listTombstones(page)).filter(({ key }) => key.startsWith(keyOf('')));
  return purgeTombstones({ ...ports, listTombstones: own }, retentionDays);
}

const query = (statement: string, parameters: object) => small.graph.driver.executeQuery(statement, parameters);
/** Lets time pass for a tombstone. */
const age = (id: string, property: string, duration: string) =>
  query(`MATCH (a:OutgraphAggregate {key: $key}) SET a.${property} = a.${property} - duration($duration)`, {
    key: keyOf(id),
    duration,
  });
const isRemembered = (id: string) =>
  small.count('MATCH (a:OutgraphAggregate {key: $key}) RETURN count(a) AS value', { key: keyOf(id) });
const eventOf = (id: string, fields: object): { readonly _id: ObjectId } =>
  upsertEvent({ nodes: [] }, { aggregateId: `${small.graph.label}-${id}`, ...fields });
const dead = { status: 'dead', deadAt: new Date(), error: { code: 'test', message: 'held back' } };

it('a deletion is forgotten when it is older than the retention, and not a moment earlier', async () => {
  await small.apply([small.state('old', null), small.state('young', null)]);
  await age('old', 'deletedAt', 'P15DT1S');
  await age('young', 'deletedAt', 'P14DT23H59M');
  expect(await purge()).toBe(1);
  expect(await isRemembered('old')).toBe(0);
  expect(await isRemembered('young')).toBe(1);
});

it('it is remembered for another hour after the last event of its aggregate was settled: a delivery that came late brings no ghost', async () => {
  // Read by a consumer while it was pending, and applied when everything else is over.
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
  expect(await isRemembered('redriven')).toBe(0);
});

/** Settles the event with the state as the consumer does. */
async function consume(event: { readonly _id: ObjectId }, state: AggregateState): Promise<BatchResults> {
  const results: BatchResults = new Map();
  await joinGraph(small.graph.driver, 'neo4j', { db: database.db }).applyBatch([state], results);
  await acknowledgeEvents(outbox(), [String(event._id)]);
  return results;
}

it('a deletion is remembered while an older event of its aggregate is processed and not yet purged: a replay brings no ghost', async () => {
  const late = small.state('replayed', { nodes: [small.node('ghost')] });
  await small.apply([small.state('replayed', null)]);
  await age('replayed', 'deletedAt', 'P20D');
  // Dead before the deletion, and redriven when the retention is over: as short a time as it takes, between two sweeps.
  const event = eventOf('replayed', {});
  await outbox().insertOne(event);
  expect(await consume(event, late)).toStrictEqual(new Map([[late.key, { outcome: 'superseded' }]]));
  expect(await purge()).toBe(0);
  // Just before the outbox purges the event it is replayed, and all begins again.
  await age('replayed', 'supersededAt', 'PT59M');
  expect(await consume(event, late)).toStrictEqual(new Map([[late.key, { outcome: 'superseded' }]]));
  await age('replayed', 'supersededAt', 'PT1H59M');
  expect(await purge()).toBe(0);
  await age('replayed', 'supersededAt', 'PT2M');
  expect(await purge()).toBe(1);
});

it('a deletion is remembered for as long as the outbox keeps what was processed before it, also where that is longer than the retention of tombstones', async () => {
  await setUpOutbox(database.db, { processedRetentionSeconds: 20 * 86_400 });
  await small.apply([small.state('longer', null)]);
  await age('longer', 'deletedAt', 'P20D');
  expect(await purge()).toBe(0);
  await age('longer', 'deletedAt', 'PT1H1M');
  expect(await purge()).toBe(1);
  await setUpOutbox(database.db, { processedRetentionSeconds: 3_600 });
});

it('an event that is discarded holds the deletion for another hour, and no longer', async () => {
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

it('an event that is pending when the retention is nearly over holds the deletion too', async () => {
  await small.apply([small.state('near', null)]);
  await age('near', 'deletedAt', 'P14DT23H30M');
  const event = eventOf('near', {});
  await outbox().insertOne(event);
  await purge();
  await outbox().updateOne({ _id: event._id }, { $set: { status: 'processed', processedAt: new Date() } });
  await age('near', 'deletedAt', 'PT50M');
  expect(await purge()).toBe(0);
});

it('an aggregate that came back to life and was deleted again is remembered anew', async () => {
  await small.apply([small.state('twice', null)]);
  await age('twice', 'deletedAt', 'P20D');
  await small.apply([small.state('twice', { nodes: [small.node('twice')] })]);
  await small.apply([small.state('twice', null)]);
  await purge();
  expect(await isRemembered('twice')).toBe(1);
});

it('pages bring each tombstone once, also where many were deleted in the same instant', async () => {
  const ids = Array.from({ length: 7 }, (_, index) => `page${index}`);
  await small.apply(ids.map((id) => small.state(id, null)));
  await query(
    "MATCH (a:OutgraphAggregate) WHERE a.key STARTS WITH $prefix SET a.deletedAt = datetime('2020-01-01T00:00:00.123456789Z')",
    { prefix: keyOf('page') },
  );
  const { listTombstones } = joinTombstones(small.graph.driver, 'neo4j');
  const found: string[] = [];
  let after: ListedTombstone | null = null;
  for (;;) {
    // Far beyond any other test's tombstones.
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
