/**
 * `outgraph backfill --prune` on a graph that is restored from a backup before the command has
 * finished.
 */
import { beforeEach, expect } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { checkpointCollection } from '../../../lib/outbox/collections.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { dumpGraph, type GraphDump, loadGraph } from '../../support/graph-dump.ts';
import { outgraph, startOutgraph, startOutgraphProcess } from '../../support/run-outgraph.ts';
import {
  expectInStep,
  it,
  type SiteGraph,
  settingsOf,
  startConsumer,
  type TestDatabase,
  untilSettled,
  writeSome,
} from '../../support/site.ts';

let database: TestDatabase;
let graph: SiteGraph;
let backup: GraphDump;
it.beforeAll(async ({ site }) => {
  ({ graph, database } = site);
  await writeSome(database, 40);
  await consumeAll();
  backup = await dumpGraph(graph.driver);
});
beforeEach(async () => {
  await loadGraph(graph.driver, backup);
});

const settings = () => settingsOf(database, graph);
const backfill = ['backfill', 'memory-event', '--prune', '--transaction-seconds', '0'];
const outbox = () => database.db.collection(outboxCollection);

async function consumeAll(): Promise<void> {
  const worker = startConsumer(database, graph);
  await untilSettled(database.db);
  await worker.stop();
}

const until = (what: string, look: () => Promise<true | undefined>) =>
  waitUntil(look, { timeoutSeconds: 60, pollMillis: 20, what });

it('a prune does not continue on a restored graph but starts again, and deletes no document', async () => {
  const slow = startOutgraphProcess([...backfill, '--yes', '--rate', '20'], settings());
  await until('the first chunk to be recorded', async () => {
    const notes = database.db.collection<{ _id: string; recorded: number }>(checkpointCollection);
    const note = await notes.findOne({ _id: 'backfill/memory-event' });
    return note !== null && note.recorded > 0 ? true : undefined;
  });
  slow.kill();
  await slow.ended;
  await consumeAll();

  await loadGraph(graph.driver, backup);
  const worker = startConsumer(database, graph);
  expect(await outgraph(backfill, settings())).toMatchObject({
    results: { 'memory-event': { outcome: 'done', pruned: { outcome: 'done', pruned: 0 } } },
  });
  await untilSettled(database.db);
  await worker.stop();
  await expectInStep(database.db, graph);
});

it('a run during which the graph is restored deletes nothing, and says so', async () => {
  const before = await outbox().countDocuments({ operation: 'delete' });
  const waiting = startOutgraph([...backfill, '--yes', '--rate', '20', '--max-pending', '1'], settings());
  await until('the run to wait for the consumer', async () => {
    return (await outbox().countDocuments({ status: 'pending', aggregateType: 'memory-event' })) > 1 || undefined;
  });
  await consumeAll();
  await loadGraph(graph.driver, backup);
  const worker = startConsumer(database, graph);
  const { exitCode, stderr } = await waiting.ended;
  expect({ exitCode, stderr }).toStrictEqual({ exitCode: 3, stderr: expect.stringContaining('graph was replaced') });
  expect(await outbox().countDocuments({ operation: 'delete' })).toBe(before);
  await outgraph(backfill, settings());
  await untilSettled(database.db);
  await worker.stop();
  await expectInStep(database.db, graph);
});
