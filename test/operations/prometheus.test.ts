/**
 * The worker watched by a real Prometheus: each rule of infra/prometheus/alerts.yml fires for the
 * fault that it is for, and clears. The dashboard's expressions find what they show.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { checkpointCollection } from '../../lib/outbox/collections.ts';
import { setUpOutbox } from '../../lib/set-up/mongodb-outbox.ts';
import { projectRoot } from '../../tools/local/paths.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { upsertEvent } from '../support/outbox-event.ts';
import { checkRules, prometheusFolder, type RunningPrometheus, startPrometheus } from '../support/prometheus.ts';
import { expectInStep, it, settingsOf, writeSteadily } from '../support/site.ts';
import { startWorkerProcess } from '../support/worker-process.ts';

const folder = path.join(projectRoot, 'infra/prometheus');
const rulesFile = path.join(folder, 'alerts.yml');

/** The rules with a minute as short as a second; thresholds in seconds too. */
function speedUp(rules: string): string {
  return rules
    .replaceAll(/\b(\d+)m\b/g, '$1s')
    .replaceAll(/(_seconds\) > )(\d+)/g, (_, comparison: string, seconds: string) => comparison + Number(seconds) / 60);
}

/** The worker's intervals, as short. */
const quick = { WORKER_SWEEP_SECONDS: '1', SWEEP_STALE_SECONDS: '2', PUBLISHER_LEASE_SECONDS: '2' };

describe.skipIf(prometheusFolder === null)('with Prometheus', () => {
  it('promtool accepts every rule', async () => {
    expect(await checkRules(rulesFile)).toContain('SUCCESS: 10 rules found');
  });

  it('each rule fires for its fault and clears, and the dashboard finds its series', async ({ site }) => {
    const { database, graph } = site;
    const { db } = database;
    const rules = await readFile(rulesFile, 'utf8');
    const settings = { ...settingsOf(database, graph), ...quick };
    const workers = await Promise.all([startWorkerProcess(settings), startWorkerProcess(settings)]);
    const prometheus = await startPrometheus(
      speedUp(rules),
      workers.map(({ port }) => port),
    );
    const seen = new Set<string>();
    const fires = async (...alerts: readonly string[]) => {
      await waitFor(prometheus, `${alerts} to fire`, (firing) => alerts.every((alert) => firing.has(alert)));
      for (const alert of alerts) seen.add(alert);
    };
    const clears = (...alerts: readonly string[]) =>
      waitFor(prometheus, `${alerts} to clear`, (firing) => !alerts.some((alert) => firing.has(alert)));
    try {
      await Promise.all(workers.map((worker) => worker.until('ready')));

      // An event that cannot be applied.
      const dead = upsertEvent({ nodes: [] }, { aggregateType: 'unknown-type', aggregateId: 'one' });
      await db.collection(outboxCollection).insertOne(dead, { writeConcern: { w: 'majority' } });
      await fires('OutgraphEventsDead');
      await db.collection(outboxCollection).deleteOne({ status: 'dead' });
      await clears('OutgraphEventsDead');

      // A worker that stopped.
      workers[1]?.kill();
      await fires('OutgraphWorkerDown');
      workers[1] = await startWorkerProcess(settings, workers[1]?.port);
      await clears('OutgraphWorkerDown');

      // No worker gets the lease: only the sweep brings events.
      const writing = writeSteadily(database);
      const lease = db.collection<{ _id: string }>(checkpointCollection);
      await lease.updateOne({ _id: 'worker/0' }, { $set: { owner: 'other', leaseExpiresAt: new Date('2100-01-01') } });
      await fires('OutgraphPublisherSilence', 'OutgraphEventsRepublished');
      await lease.updateOne({ _id: 'worker/0' }, { $set: { leaseExpiresAt: new Date(0) } });
      await clears('OutgraphPublisherSilence', 'OutgraphEventsRepublished');

      // Neo4j is away.
      await graph.neo4j.kill();
      const ofNeo4j = ['ConsumerErrors', 'SweepErrors', 'CanaryLag', 'OldestPendingAge'].map((one) => `Outgraph${one}`);
      await fires(...ofNeo4j);
      await expectDashboardToFindItsSeries(prometheus);
      await graph.neo4j.start();
      await clears(...ofNeo4j);
      await writing.stop();
      await expectInStep(db, graph);

      // The outbox is dropped.
      await db.collection(outboxCollection).drop();
      await fires('OutgraphHistoryLost');
      await fires('OutgraphSweepSilent');
      await setUpOutbox(db, { processedRetentionSeconds: 3600 });
      await clears('OutgraphSweepSilent', 'OutgraphHistoryLost');

      const all = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
      expect([...seen].sort()).toStrictEqual(all.sort());
    } finally {
      await prometheus.stop();
    }
  });
});

function waitFor(
  prometheus: RunningPrometheus,
  what: string,
  is: (firing: ReadonlySet<string>) => boolean,
): Promise<boolean> {
  return waitUntil(async () => is(await prometheus.firing()) || undefined, {
    timeoutSeconds: 90,
    pollMillis: 200,
    what,
  });
}

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
}

async function expectDashboardToFindItsSeries(prometheus: RunningPrometheus): Promise<void> {
  const { panels } = JSON.parse(await readFile(path.join(folder, 'dashboard.json'), 'utf8')) as Dashboard;
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  expect(expressions.length).toBeGreaterThan(20);
  const counts = await Promise.all(
    expressions.map(async (expression) => {
      const asked = expression.replaceAll('$job', 'outgraph').replaceAll('$__rate_interval', '10s');
      return { expression, found: (await prometheus.count(asked)) > 0 };
    }),
  );
  expect(counts.filter(({ found }) => !found)).toStrictEqual([]);
}
