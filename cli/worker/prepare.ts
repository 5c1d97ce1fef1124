/** What a worker needs before it starts: servers that it can work with, and their set-up. */
import type { Logger } from '@aws-lambda-powertools/logger';
import { describeError, Fault, type FaultCode } from '../../lib/contract/fault.ts';
import type { AggregateCatalog } from '../../lib/projection/catalog.ts';
import { delayAfter } from '../../lib/runtime/back-off.ts';
import type { SetUpSettings } from '../../lib/runtime/settings.ts';
import { requireReplicaSet } from '../../lib/set-up/mongodb-inspect-server.ts';
import { checkOutbox } from '../../lib/set-up/mongodb-outbox.ts';
import { checkGraph } from '../../lib/set-up/neo4j-graph.ts';
import { setUpOnce } from '../../lib/set-up/wiring.ts';
import { sleepUnless, withGraph, withMongodb } from '../databases.ts';

/** Waiting helps. */
const awayCodes: ReadonlySet<FaultCode> = new Set<FaultCode>([
  'mongodb-unavailable',
  'neo4j-unavailable',
  'graph-overloaded',
  'time-up',
]);

/** Whether a server is away or busy, so that the worker may wait for it. */
export function isAway(error: unknown): error is Fault {
  return error instanceof Fault && awayCodes.has(error.code);
}

/**
 * Checks both servers before the worker starts. Otherwise it would report the same error every
 * second.
 *
 * @throws Fault that says why the worker cannot work, or which server is away.
 */
export function checkServers(settings: SetUpSettings): Promise<void> {
  return withMongodb(settings, async (db) => {
    await requireReplicaSet(db);
    await checkOutbox(db);
    await withGraph(db, settings, (driver) => checkGraph(driver, settings.NEO4J_DATABASE));
  });
}

/** Back-off while a server is away. */
const retryMillis = { first: 1_000, most: 10_000 };

/** @throws Fault that says why the databases cannot be set up, or which server is away. */
export async function setUp(settings: SetUpSettings, catalog: AggregateCatalog, logger: Logger): Promise<void> {
  const { newer } = await setUpOnce(settings, catalog);
  if (newer === null) logger.info('set up');
  else logger.warn('set-up left as it is', { newer });
}

/**
 * Sets up both databases, and waits for a server that is away until it is stopped.
 *
 * @throws Fault that says why the databases cannot be set up.
 */
export async function setUpWhenReachable(
  settings: SetUpSettings,
  catalog: AggregateCatalog,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (let attempts = 1; !signal.aborted; attempts += 1)
    try {
      return await setUp(settings, catalog, logger);
    } catch (error) {
      if (!isAway(error)) throw error;
      const millis = delayAfter(attempts, retryMillis);
      logger.warn('waiting for the set-up', { retryMillis: millis, ...describeError(error) });
      await sleepUnless(signal, millis);
    }
}
