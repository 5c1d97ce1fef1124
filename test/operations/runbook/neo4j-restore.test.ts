/**
 * The run book's "Neo4j was restored from a backup", on a real server whose data folder is replaced
 * by an older copy.
 */
import { afterAll, expect, vi } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import type { Pack } from '../../../lib/contract/pointer.ts';
import { readSettings, sweepSettings } from '../../../lib/runtime/settings.ts';
import { joinSweep, type Sweeper } from '../../../lib/sweep/wiring.ts';
import { outgraph, startOutgraphProcess } from '../../support/run-outgraph.ts';
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

// Neo4j is stopped and started several times.
vi.setConfig({ testTimeout: 360_000, hookTimeout: 360_000 });

let graph: SiteGraph;
let database: TestDatabase;
let sweeper: Sweeper;
it.beforeAll(({ site }) => {
  ({ graph, database } = site);
  sweeper = openSweep();
});
afterAll(async () => {
  await sweeper?.close();
});

const settings = () => settingsOf(database, graph);

/** Runs the consumer until every event is settled. */
async function consumeAll(): Promise<void> {
  const worker = startConsumer(database, graph);
  await untilSettled(database.db);
  await worker.stop();
}

it('a replay from the time recorded in the graph restores what the graph lacks', async () => {
  const { db } = database;
  await writeSome(database, 60);
  await sweeper.sweep(() => 30_000);
  await consumeAll();
  await graph.backUp('older');
  await writeSome(database, 60);
  await consumeAll();
  await expectInStep(db, graph);
  await sweeper.sweep(() => 30_000);

  await graph.restore('older');
  // A function stays warm during the restore. It must not wait for transactions that this server
  // never had.
  await sweeper.sweep(() => 30_000);
  await writeSome(database, 20);
  expect(await countDifferences(db, graph)).toBeGreaterThan(0);
  await outgraph(['redrive', '--since', 'graph'], settings());
  await consumeAll();
  await expectInStep(db, graph);
});

it('a redrive is refused if its events are purged, and a backfill that prunes repairs the graph', async () => {
  const { db } = database;
  await writeSome(database, 40);
  await consumeAll();
  await graph.backUp('ancient');
  await writeSome(database, 60);
  await consumeAll();
  // As the TTL index does after a week.
  await db.collection(outboxCollection).deleteMany({ status: 'processed' });

  await graph.restore('ancient');
  expect(await countDifferences(db, graph)).toBeGreaterThan(0);
  const dayAgo = new Date(Date.now() - 86_400_000).toISOString();
  const refused = await startOutgraphProcess(['redrive', '--since', dayAgo, '--yes', '--json'], settings()).ended;
  expect(refused.exitCode).toBe(3);
  expect(refused.stdout).toContain('are purged');

  const worker = startConsumer(database, graph);
  const forget = ['--prune', '--transaction-seconds', '0'];
  await outgraph(['backfill', 'memory-user', 'memory-event', ...forget], settings());
  await untilSettled(db);
  await worker.stop();
  await expectInStep(db, graph);
});

/** A sweep that stays open, as the function's process does. Its queue accepts nothing. */
function openSweep(): Sweeper {
  const { MONGODB_URI, MONGODB_DATABASE, NEO4J_URI } = settings();
  const queue = {
    sendToQueue: async (packs: readonly Pack[]) => packs,
    countBacklog: async () => 0,
    pointersPerEntry: 1,
    close: () => undefined,
  };
  const environment = { MONGODB_URI, MONGODB_DATABASE, NEO4J_URI };
  return joinSweep(readSettings(sweepSettings.omit({ QUEUE_URL: true }), environment), queue);
}
