/** The worker's own sweep on real servers: its canaries take the path of every event. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { canaryAggregate } from '../../../lib/contract/canary.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { readSettings, workerSettings } from '../../../lib/runtime/settings.ts';
import { startWorker } from '../../../lib/worker/wiring.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { silentLog } from '../../support/silent-log.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

it("a worker's sweep writes canaries, and the worker applies them", async () => {
  const failures: unknown[] = [];
  const settings = readSettings(workerSettings, {
    ...database.settings,
    WORKER_SWEEP_SECONDS: '1',
  });
  const worker = startWorker(settings, catalog, { ...silentLog, failed: (_part, error) => failures.push(error) });
  const processed = { ...canaryAggregate, status: 'processed' };
  await waitUntil(
    async () => (await database.db.collection(outboxCollection).countDocuments(processed)) >= 2 || undefined,
    { timeoutSeconds: 60, pollMillis: 50, what: 'two canaries to be processed' },
  );
  await worker.stop();
  expect(worker.health()).toMatchObject({ dead: 0 });
  expect(worker.health().failing).toStrictEqual({});
  expect(failures).toStrictEqual([]);
});
