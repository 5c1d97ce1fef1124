/** A worker for the tests of a service, on servers that the tests give. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { canaryAggregate } from '../contract/canary.ts';
import { Fault } from '../contract/fault.ts';
import { type OutboxDocument, outboxCollection } from '../contract/outbox-event.ts';
import { connectMongodb } from '../outbox/mongodb-connect.ts';
import type { AggregateCatalog } from '../projection/catalog.ts';
import { readSettings, setUpSettings, workerSettings } from '../runtime/settings.ts';
import { setUpOnce } from '../set-up/wiring.ts';
import { workerLog } from '../worker/log.ts';
import { startWorker } from '../worker/wiring.ts';

/**
 * The servers and the catalog of a test.
 *
 * @example
 * const options: TestOptions = {
 *   mongodbUri: 'mongodb://localhost:27017/?replicaSet=rs0',
 *   mongodbDatabase: 'shop_test',
 *   neo4jUri: 'bolt://localhost:7687',
 *   catalog: createCatalog([person]),
 * };
 */
export interface TestOptions {
  /** A replica set. */
  readonly mongodbUri: string;
  /** A database of the test's own. */
  readonly mongodbDatabase: string;
  /** An empty graph: it belongs to one outbox. */
  readonly neo4jUri: string;
  readonly neo4jUsername?: string;
  readonly neo4jPassword?: string;
  readonly catalog: AggregateCatalog;
  /** Further settings (`docs/reference/settings.md`), such as `NEO4J_DATABASE`. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A set-up and a running worker. Create it with `startOutgraph`. */
export interface RunningOutgraph extends AsyncDisposable {
  /**
   * Resolves when everything that was written is in the graph.
   *
   * @throws Fault with the code of an event that is dead; `not-settled` when the time (30 seconds by
   * default) is up.
   */
  settled(options?: { readonly timeoutMs?: number }): Promise<void>;
  /** Stops the worker. The databases stay as they are. */
  stop(): Promise<void>;
}

const pollMillis = 20;

/**
 * Runs the set-up and starts a worker on the given servers. It logs errors only.
 *
 * @throws Fault that names the server that does not answer.
 * @example
 * await using outgraph = await startOutgraph(options);
 * await people.insertOne({ _id: 'ada', name: 'Ada' });
 * await outgraph.settled();
 */
export async function startOutgraph({ catalog, environment, ...servers }: TestOptions): Promise<RunningOutgraph> {
  const settings = {
    MONGODB_URI: servers.mongodbUri,
    MONGODB_DATABASE: servers.mongodbDatabase,
    NEO4J_URI: servers.neo4jUri,
    ...(servers.neo4jUsername !== undefined && { NEO4J_USERNAME: servers.neo4jUsername }),
    ...(servers.neo4jPassword !== undefined && { NEO4J_PASSWORD: servers.neo4jPassword }),
    ...environment,
  };
  await setUpOnce(readSettings(setUpSettings, settings), catalog);
  const log = workerLog(new Logger({ serviceName: 'outgraph-testing', logLevel: 'ERROR' }));
  const worker = startWorker(readSettings(workerSettings, settings), catalog, log);
  const client = connectMongodb(servers.mongodbUri);
  const outbox = client.db(servers.mongodbDatabase).collection<OutboxDocument>(outboxCollection);

  const settled = async ({ timeoutMs = 30_000 }: { readonly timeoutMs?: number } = {}): Promise<void> => {
    const endsAt = performance.now() + timeoutMs;
    const ofTest = { aggregateType: { $ne: canaryAggregate.aggregateType } };
    for (;;) {
      const pending = await outbox.countDocuments({ ...ofTest, status: 'pending' });
      if (pending === 0) break;
      if (performance.now() > endsAt)
        throw new Fault('not-settled', `${pending} events were not applied within ${timeoutMs} ms.`);
      await sleep(pollMillis);
    }
    const dead = await outbox.findOne({ ...ofTest, status: 'dead' });
    if (dead?.error !== undefined) throw new Fault(dead.error.code as Fault['code'], dead.error.message);
  };
  const stop = async (): Promise<void> => {
    await worker.stop();
    await client.close();
  };
  return { settled, stop, [Symbol.asyncDispose]: stop };
}
