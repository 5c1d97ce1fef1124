/** What a platform sees of the worker: its probes, its metrics, and how it stops. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect, onTestFinished, vi } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { expectToSurviveWithoutNeo4j } from '../../support/neo4j-away.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { it, type Site, settingsOf } from '../../support/site.ts';
import { startWorkerProcess, type WorkerProcess } from '../../support/worker-process.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

/** Kubernetes' default grace period. */
const graceMillis = 30_000;

async function write({ database }: Site, count: number): Promise<void> {
  const events = Array.from({ length: count }, () =>
    upsertEvent({ nodes: [{ label: 'Probed', key: { id: randomUUID() } }] }),
  );
  await database.db.collection(outboxCollection).insertMany(events, { writeConcern: { w: 'majority' } });
}

const settled = ({ database }: Site) =>
  waitUntil(
    async () =>
      (await database.db.collection(outboxCollection).countDocuments({ status: 'pending' })) === 0 || undefined,
    { timeoutSeconds: 90, pollMillis: 50, what: 'every event to be settled' },
  );

async function terminate(worker: WorkerProcess): Promise<number> {
  const startedAt = performance.now();
  expect(await worker.terminate()).toMatchObject({ exitCode: 0 });
  return performance.now() - startedAt;
}

it('a worker without Neo4j stays live, is not ready, says why, and recovers without a loss', ({ site }) =>
  expectToSurviveWithoutNeo4j(site, 5));

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

it('two workers are ready, both tail, and each applies its share', async ({ site }) => {
  const settings = settingsOf(site.database, site.graph);
  const workers = await Promise.all([startWorkerProcess(settings), startWorkerProcess(settings)]);
  await Promise.all(workers.map((worker) => worker.until('ready')));
  await waitUntil(
    async () => {
      const states = await Promise.all(workers.map((worker) => worker.readiness()));
      return states.every((state) => state.publisher === 'tail' && state.workers === 2) || undefined;
    },
    { timeoutSeconds: 30, pollMillis: 50, what: 'the workers to see each other' },
  );
  await write(site, 100);
  await settled(site);
  const readMetrics = async () => {
    const texts = await Promise.all(workers.map((worker) => worker.metrics()));
    return (name: string) =>
      texts.map((text) => Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1])).sort((one, other) => one - other);
  };
  // A batch counts its events after it has acknowledged them.
  const values = await waitUntil(
    async () => {
      const read = await readMetrics();
      return sumOf(read('outgraph_events_applied_total')) >= 100 ? read : undefined;
    },
    { timeoutSeconds: 30, pollMillis: 50, what: 'the events to be counted' },
  );
  expect(values('outgraph_publisher_tailing')).toStrictEqual([1, 1]);
  expect(values('outgraph_workers')).toStrictEqual([2, 2]);
  expect(values('outgraph_events_applied_total')[0]).toBeGreaterThan(0);
  expect(sumOf(values('outgraph_events_applied_total'))).toBe(100);
  expect(sumOf(values('outgraph_apply_lag_seconds_count'))).toBe(100);
  expect(values('process_resident_memory_bytes')[0]).toBeGreaterThan(1e6);
  for (const worker of workers) await terminate(worker);
});

it('a worker sends its metrics to an OTLP endpoint', async ({ site }) => {
  const bodies: unknown[] = [];
  const collector = createServer(async (request, response) => {
    if (request.url === '/v1/metrics') bodies.push(await json(request));
    response.end('{}');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void collector.close());
  await once(collector, 'listening');
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  const worker = await startWorkerProcess({
    ...settingsOf(site.database, site.graph),
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${endpoint}/v1/metrics`,
    OTEL_SERVICE_NAME: 'shop',
  });
  await worker.until('ready');
  await write(site, 20);
  await settled(site);
  await terminate(worker);
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  expect(bodies.at(-1)).toMatchObject({
    resourceMetrics: [
      {
        resource: { attributes: expect.arrayContaining([attribute('service.name', 'shop')]) },
        scopeMetrics: [
          {
            metrics: expect.arrayContaining([
              expect.objectContaining({
                name: 'outgraph_events_applied_total',
                sum: {
                  aggregationTemporality: 2,
                  isMonotonic: true,
                  dataPoints: [expect.objectContaining({ asDouble: 20, attributes: [] })],
                },
              }),
              expect.objectContaining({
                name: 'outgraph_part_failing',
                gauge: {
                  dataPoints: expect.arrayContaining([
                    expect.objectContaining({ asDouble: 0, attributes: [attribute('part', 'sweep')] }),
                  ]),
                },
              }),
              expect.objectContaining({
                name: 'outgraph_apply_lag_seconds',
                histogram: {
                  aggregationTemporality: 2,
                  dataPoints: [
                    expect.objectContaining({ count: '20', explicitBounds: expect.arrayContaining([0.01, 3_600]) }),
                  ],
                },
              }),
            ]),
          },
        ],
      },
    ],
  });
  expect(bucketsOf(bodies.at(-1))).toStrictEqual({ buckets: 17, counted: 20 });
});

/** The buckets of the apply lag: one more than bounds, and each event in one of them. */
function bucketsOf(body: unknown): { readonly buckets: number; readonly counted: number } {
  const text = JSON.stringify(body);
  const [, counts = ''] = /"outgraph_apply_lag_seconds".*?"bucketCounts":\[([^\]]*)\]/.exec(text) ?? [];
  const numbers = counts.split(',').map((one) => Number(one.replaceAll('"', '')));
  return { buckets: numbers.length, counted: numbers.reduce((sum, one) => sum + one, 0) };
}

it('a worker with a full batch in work stops within the grace period, and settles the batch', async ({ site }) => {
  await write(site, 20_000);
  const worker = await startWorkerProcess({
    ...settingsOf(site.database, site.graph),
    WORKER_BATCH_SIZE: '5000',
  });
  // More batches are in work when the first has ended.
  await waitUntil(async () => ((await worker.readiness()).applied > 0 ? true : undefined), {
    timeoutSeconds: 60,
    pollMillis: 10,
    what: 'a batch to end',
  });
  const millis = await terminate(worker);
  console.info(`with a full batch in work, the worker stopped after ${Math.round(millis)} ms`);
  expect(millis).toBeLessThan(graceMillis);
  const count = (status: string) =>
    site.database.db.collection(outboxCollection).countDocuments({ status, aggregateType: 'graph' });
  expect(await count('pending')).toBeGreaterThan(0);
  const { records } = await site.graph.driver.executeQuery('MATCH (n:Probed) RETURN count(n) AS count');
  expect(records[0]?.get('count')).toBe(BigInt(await count('processed')));
});

it('a worker whose Neo4j is silent stops within the grace period, and its events stay pending', async ({ site }) => {
  const worker = await startWorkerProcess(settingsOf(site.database, site.graph));
  await worker.until('ready');
  await settled(site);
  await site.graph.neo4j.pause();
  try {
    await write(site, 100);
    await waitUntil(async () => ((await worker.readiness()).queued >= 100 ? true : undefined), {
      timeoutSeconds: 60,
      pollMillis: 50,
      what: 'a batch to be in work',
    });
    const millis = await terminate(worker);
    console.info(`with a silent Neo4j, the worker stopped after ${Math.round(millis)} ms`);
    expect(millis).toBeLessThan(graceMillis);
    const pending = { status: 'pending', aggregateType: 'graph' };
    expect(await site.database.db.collection(outboxCollection).countDocuments(pending)).toBe(100);
  } finally {
    await site.graph.neo4j.resume();
  }
});
