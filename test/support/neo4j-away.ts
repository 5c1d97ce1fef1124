/** An outage of Neo4j as a platform sees it: by the worker's probes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { expectInStep, type Site, settingsOf, writeSteadily } from './site.ts';
import { startWorkerProcess } from './worker-process.ts';

/**
 * Stops Neo4j for some time, while users write: the worker stays live, is not ready and says why,
 * is ready again, and has lost nothing.
 */
export async function expectToSurviveWithoutNeo4j({ database, graph }: Site, awaySeconds: number): Promise<void> {
  const settings = { ...settingsOf(database, graph), WORKER_SWEEP_SECONDS: '5' };
  const worker = await startWorkerProcess(settings);
  await worker.until('ready');
  const writing = writeSteadily(database);
  await graph.neo4j.stop();
  const { problems } = await worker.until('not ready');
  expect(problems.join()).toMatch(/Neo4j/);
  const endsAt = Date.now() + awaySeconds * 1_000;
  const seen: { readonly live: boolean; readonly ready: boolean }[] = [];
  while (Date.now() < endsAt) {
    seen.push({ live: await worker.isLive(), ready: (await worker.readiness()).ready });
    await sleep(1_000);
  }
  expect(seen.length).toBeGreaterThan(1);
  expect(seen.filter(({ live, ready }) => !live || ready)).toStrictEqual([]);
  await graph.neo4j.start();
  await worker.until('ready');
  await writing.stop();
  await expectInStep(database.db, graph);
  expect(await worker.terminate()).toMatchObject({ exitCode: 0 });
}
