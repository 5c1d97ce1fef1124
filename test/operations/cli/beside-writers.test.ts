/** `outgraph verify` and `outgraph verify --repair` while writers write and a consumer applies. */
import { expect, vi } from 'vitest';
import { dumpGraph, loadGraph } from '../../support/graph-dump.ts';
import { answerOf, startOutgraph } from '../../support/run-outgraph.ts';
import {
  expectInStep,
  it,
  type SiteGraph,
  settingsOf,
  startConsumer,
  type TestDatabase,
  untilSettled,
  writeSome,
  writeSteadily,
} from '../../support/site.ts';

vi.setConfig({ testTimeout: 480_000, hookTimeout: 240_000 });

let graph: SiteGraph;
let database: TestDatabase;
it.beforeAll(async ({ site }) => {
  ({ graph, database } = site);
});

const outgraph = (...command: readonly string[]) =>
  answerOf(startOutgraph([...command, '--transaction-seconds', '0', '--json'], settingsOf(database, graph)));

/** Writes some documents and waits until they are in the graph. */
async function applySome(count: number): Promise<void> {
  const worker = startConsumer(database, graph);
  await writeSome(database, count);
  await untilSettled(database.db);
  await worker.stop();
}

/** Runs commands while documents are written and applied. */
async function besideWriters(run: () => Promise<void>): Promise<void> {
  const worker = startConsumer(database, graph);
  const writers = writeSteadily(database);
  try {
    await run();
  } finally {
    await writers.stop();
    await untilSettled(database.db);
    await worker.stop();
  }
}

it('reports nothing that is only in flight', async () => {
  await applySome(80);
  await besideWriters(async () => {
    for (let round = 0; round < 3; round += 1)
      expect(await outgraph('verify')).toMatchObject({ outcome: 'equal', first: [] });
  });
});

it('updates an older copy of the graph', async () => {
  const old = await dumpGraph(graph.driver);
  await applySome(20);
  await loadGraph(graph.driver, old);
  await besideWriters(async () => {
    expect(await outgraph('verify', '--repair', '--yes')).toMatchObject({ exitCode: 0, outcome: 'equal' });
  });
  expect(await outgraph('verify')).toMatchObject({ exitCode: 0, outcome: 'equal' });
  await expectInStep(database.db, graph);
});
