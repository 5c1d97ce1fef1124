/**
 * The run book's "MongoDB was restored to an earlier time": the graph is ahead of the documents and
 * is reset to them.
 */
import type { Document } from 'mongodb';
import { expect, vi } from 'vitest';
import { exactTypes } from '../../../lib/contract/exact-types.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { outgraph, startOutgraph } from '../../support/run-outgraph.ts';
import {
  countDifferences,
  expectInStep,
  it,
  type SiteGraph,
  settingsOf,
  startConsumer,
  type TestDatabase,
  untilSettled,
  writeSome,
} from '../../support/site.ts';

vi.setConfig({ testTimeout: 360_000, hookTimeout: 360_000 });

let graph: SiteGraph;
let database: TestDatabase;
it.beforeAll(({ site }) => {
  ({ graph, database } = site);
});

const restored = ['memory_users', 'memory_events', outboxCollection];
const backfill = ['backfill', 'memory-user', 'memory-event', '--prune', '--transaction-seconds', '0'];

it('a graph that is ahead of restored documents is reset to them by a backfill that prunes', async () => {
  const { db } = database;
  const worker = startConsumer(database, graph);
  await writeSome(database, 60);
  await untilSettled(db);
  const backup = await dump();
  await writeSome(database, 60);
  await expectInStep(db, graph);
  await worker.stop();

  await restore(backup);
  expect(await countDifferences(db, graph)).toBeGreaterThan(0);
  const again = startConsumer(database, graph);
  const tooMany = await startOutgraph([...backfill, '--max-deleted', '3', '--yes'], settingsOf(database, graph)).ended;
  expect({ exitCode: tooMany.exitCode, stderr: tooMany.stderr }).toStrictEqual({
    exitCode: 3,
    stderr: expect.stringContaining('none was deleted'),
  });
  const writing = writeSome(database, 20);
  await outgraph(backfill, settingsOf(database, graph));
  await writing;
  await untilSettled(db);
  await again.stop();
  await expectInStep(db, graph);
});

/** Everything that a backup of MongoDB contains. */
async function dump(): Promise<ReadonlyMap<string, readonly Document[]>> {
  const read = (name: string) => database.db.collection(name).find({}, exactTypes).toArray();
  return new Map(await Promise.all(restored.map(async (name) => [name, await read(name)] as const)));
}

async function restore(backup: ReadonlyMap<string, readonly Document[]>): Promise<void> {
  for (const [name, documents] of backup) {
    await database.db.collection(name).deleteMany({});
    await database.db.collection(name).insertMany([...documents]);
  }
}
