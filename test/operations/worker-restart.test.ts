/** The worker while its own Neo4j is killed, stays away, and comes back. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { readSettings, workerSettings } from '../../lib/runtime/settings.ts';
import { setUpGraph } from '../../lib/set-up/neo4j-graph.ts';
import { startWorker, type Worker } from '../../lib/worker/wiring.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { catalog } from '../../xmem/catalog.ts';
import { connectGraph } from '../support/connect-graph.ts';
import { upsertEvent } from '../support/outbox-event.ts';
import { testOutboxId } from '../support/outbox-id.ts';
import { servers } from '../support/servers.ts';
import { silentLog } from '../support/silent-log.ts';
import { type OwnNeo4j, takeNeo4j } from '../support/take-neo4j.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let neo4j: OwnNeo4j;
let database: TestDatabase;
beforeAll(async () => {
  [neo4j, database] = await Promise.all([takeNeo4j(), createTestDatabase()]);
});
afterAll(() => database?.drop());

const graph = () => ({ neo4jUri: neo4j.uri, neo4jUsername: null, neo4jPassword: null });
const outbox = () => database.db.collection(outboxCollection);
/** Counts events without the worker's own canaries. */
const count = (status: string) => outbox().countDocuments({ status, aggregateType: 'graph' });

async function write(group: string, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, index) =>
    upsertEvent({ nodes: [{ label: 'Restarted', key: { id: `${group}-${index}` } }] }),
  );
  await outbox().insertMany(events, { writeConcern: { w: 'majority' } });
}

const until = (ask: () => Promise<boolean> | boolean, what: string) =>
  waitUntil(async () => (await ask()) || undefined, { timeoutSeconds: 90, pollMillis: 50, what });

it('loses nothing, marks nothing dead, reports that it fails, and recovers automatically', async () => {
  const driver = connectGraph(graph());
  await setUpGraph(driver, 'neo4j', catalog, testOutboxId);
  const failed: string[] = [];
  const worker: Worker = startWorker(
    readSettings(workerSettings, {
      MONGODB_URI: servers.mongodbUri,
      MONGODB_DATABASE: database.db.databaseName,
      NEO4J_URI: neo4j.uri,
      WORKER_BATCH_SIZE: '100',
    }),
    catalog,
    { ...silentLog, failed: (part) => void failed.push(part) },
  );
  try {
    await write('before', 3_000);
    await until(() => worker.health().applied > 0, 'the first batch to be applied');
    await neo4j.kill();
    await write('away', 500);
    await until(() => worker.health().failing.consumer !== undefined, 'the consumer to notice');
    await neo4j.start();
    await write('after', 500);
    await until(async () => (await count('pending')) === 0, 'every event to be settled');
    expect(await count('processed')).toBe(4_000);
    const { records } = await driver.executeQuery('MATCH (n:Restarted) RETURN count(n) AS count');
    expect(records[0]?.get('count')).toBe(4_000n);
    expect(new Set(failed)).toStrictEqual(new Set(['consumer']));
    expect(worker.health().failing).toStrictEqual({});
  } finally {
    await worker.stop();
    await driver.close();
  }
});
