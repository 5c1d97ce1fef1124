/**
 * The run book's "Moving to another Neo4j": readers keep using the old graph, which stays
 * unchanged, until the new one is complete.
 */

import { afterAll, expect, vi } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { markDead } from '../../../lib/outbox/mongodb-mark-dead.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { outgraph } from '../../support/run-outgraph.ts';
import {
  expectInStep,
  it,
  readNodes,
  type SiteGraph,
  settingsOf,
  startConsumer,
  startGraph,
  type TestDatabase,
  untilSettled,
  writeSome,
} from '../../support/site.ts';

// Two servers are started, possibly on a busy machine.
vi.setConfig({ testTimeout: 360_000, hookTimeout: 360_000 });

let oldGraph: SiteGraph;
let newGraph: SiteGraph;
let database: TestDatabase;
it.beforeAll(async ({ site }) => {
  ({ graph: oldGraph, database } = site);
  newGraph = await startGraph();
});
afterAll(() => newGraph?.close());

it('a backfill fills a new graph while the old one stays unchanged; a redrive is the way back', async () => {
  const { db } = database;
  const before = startConsumer(database, oldGraph);
  await writeSome(database, 80);
  await expectInStep(db, oldGraph);
  const ghost = await leaveDeadUpsertOfDeletedAggregate();
  await untilSettled(db);

  // The consumer's event source is disabled, then NEO4J_URI is switched.
  await before.stop();
  const movedAt = new Date().toISOString();
  const nodes = await readNodes(oldGraph);
  await writeSome(database, 20);
  const after = startConsumer(database, newGraph);
  const forget = ['--prune', '--transaction-seconds', '0'];
  const backfilling = outgraph(
    ['backfill', 'memory-user', 'memory-event', '--rate', '200', ...forget],
    settingsOf(database, newGraph),
  );
  await writeSome(database, 40);
  await backfilling;
  await untilSettled(db);
  expect(await readNodes(oldGraph)).toStrictEqual(nodes);

  // An aggregate that was deleted before the move cannot reappear in a graph that does not know the
  // deletion.
  await outgraph(['redrive', '--id', ghost], settingsOf(database, newGraph));
  await untilSettled(db);
  await expectInStep(db, newGraph);

  // The way back: the old graph catches up with what happened since the move.
  await after.stop();
  await outgraph(['redrive', '--since', movedAt], settingsOf(database, oldGraph));
  const back = startConsumer(database, oldGraph);
  await untilSettled(db);
  await back.stop();
  await expectInStep(db, oldGraph);
});

/** Leaves an aggregate that was written and deleted: its upsert is dead, its deletion is purged. */
async function leaveDeadUpsertOfDeletedAggregate(): Promise<string> {
  const outbox = database.db.collection(outboxCollection);
  const payload = { user_id: 'ghost', date: '12-10' };
  const event = upsertEvent(payload, { aggregateType: 'memory-event', aggregateId: 'ghost' });
  await outbox.insertOne(event);
  const eventId = event._id.toHexString();
  await markDead(outbox, [{ eventId, code: 'payload-invalid', message: 'for a test' }]);
  return eventId;
}
