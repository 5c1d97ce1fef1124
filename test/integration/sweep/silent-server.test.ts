/**
 * The sweep with a server that accepts connections and never answers: it reports before its time is
 * up, otherwise the alarms would lack their metrics.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { readSettings, sweepSettings } from '../../../lib/runtime/settings.ts';
import type { SweepReport } from '../../../lib/sweep/sweep.ts';
import { joinSweep, type SweepQueue } from '../../../lib/sweep/wiring.ts';
import { outboxEvent } from '../../support/outbox-event.ts';
import { servers } from '../../support/servers.ts';
import { type SilentServer, startSilentServer } from '../../support/silent-server.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let silent: SilentServer;
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.db.collection(outboxCollection).insertOne(outboxEvent());
  silent = await startSilentServer();
});
afterAll(async () => {
  silent.close();
  await database.drop();
});

const answering: SweepQueue = {
  sendToQueue: async () => [],
  countBacklog: async () => 0,
  pointersPerEntry: 1,
  close: () => undefined,
};

/** Runs one pass with a limit of seven seconds. */
async function sweepWith(given: { readonly neo4jUri?: string; readonly queue?: Partial<SweepQueue> }) {
  const settings = readSettings(sweepSettings, {
    ...database.settings,
    NEO4J_URI: given.neo4jUri ?? servers.neo4jUri,
    QUEUE_URL: 'not used',
  });
  const endsAt = performance.now() + 7_000;
  const sweeper = joinSweep(settings, { ...answering, ...given.queue });
  const reports: SweepReport[] = [];
  const failure = await sweeper
    .sweep(
      () => endsAt - performance.now(),
      (report) => reports.push(report),
    )
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  const remainingMillis = endsAt - performance.now();
  await sweeper.close();
  return { reports, failure, remainingMillis };
}

it('without an answer from Neo4j, everything except the purge is done, and the failure is reported', async () => {
  const neo4jUri = `bolt://${silent.address}`;
  const { reports, failure, remainingMillis } = await sweepWith({ neo4jUri });
  expect(reports).toMatchObject([{ pending: 1, queueBacklog: 0, republished: 0, tombstonesPurged: null }]);
  expect(failure).toMatchObject({ code: 'time-up' });
  expect(remainingMillis).toBeGreaterThan(500);
});

it('without an answer from the queue, only its metrics are missing', async () => {
  const queue = { countBacklog: () => new Promise<never>(() => undefined) };
  const { reports, failure, remainingMillis } = await sweepWith({ queue });
  expect(reports).toMatchObject([{ pending: 1, dead: 0, queueBacklog: null, republished: null }]);
  expect(failure).toMatchObject({ code: 'time-up' });
  expect(remainingMillis).toBeGreaterThan(500);
});
