/**
 * The run book's "Moving to another Neo4j": readers stay on the old graph, which keeps what it has, until the new one
 * is complete.
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

// Two servers are started, and this machine may have other things to do.
vi.setConfig({ testTimeout: 360_000, hookTimeout: 360_000 });

let oldGraph: SiteGraph;
let newGraph: SiteGraph;
let database: TestDatabase;
it.beforeAll(async ({ site }) => {
  ({ graph: oldGraph, database } = site);
  newGraph = await startGraph();
});
afterAll(() => newGraph?.close());

it('a new graph is filled by a backfill while writers write, the old one stays as it was until readers leave it, and the way back is a redrive', async () => {
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

  // Nothing that was deleted before the move can come back to a graph that does not know the deletion.
  await outgraph(['redrive', '--id', ghost], settingsOf(database, newGraph));
  await untilSettled(db);
  await expectInStep(db, newGraph);

  // The way back: the old graph catches up with what happened since it was left.
  await after.stop();
  await outgraph(['redrive', '--since', movedAt], settingsOf(database, oldGraph));
  const back = startConsumer(database, oldGraph);
  await untilSettled(db);
  await back.stop();
  await expectInStep(db, oldGraph);
});

/** An aggregate that was written and deleted: its upsert is dead, its deletion is purged. */
async function leaveDeadUpsertOfDeletedAggregate(): Promise<string> {
  const outbox = database.db.collection(outboxCollection);
  const payload = { user_id: 'ghost', date: '12-10' };
  const event = upsertEvent(payload, { aggregateType: 'memory-event', aggregateId: 'ghost' });
  await outbox.insertOne(event);
  const eventId = event._id.toHexString();
  await markDead(outbox, [{ eventId, code: 'payload-invalid', message: 'for a test' }]);
  return eventId;
}
