/** `outgraph worker`: the whole path in one resident process, until it is stopped. */
import { createServer } from 'node:http';
import { Logger } from '@aws-lambda-powertools/logger';
import { Command, InvalidArgumentError } from 'commander';
import { collectDefaultMetrics } from 'prom-client';
import { Fault, type FaultCode } from '../../lib/contract/fault.ts';
import type { AggregateCatalog } from '../../lib/projection/catalog.ts';
import type { GraphAddress, OutboxAddress } from '../../lib/runtime/addresses.ts';
import { type WorkerSettings, workerSettings } from '../../lib/runtime/settings.ts';
import { requireReplicaSet } from '../../lib/set-up/mongodb-inspect-server.ts';
import { checkGraph } from '../../lib/set-up/neo4j-graph.ts';
import { answerProbes } from '../../lib/worker/answer-probes.ts';
import { workerLog } from '../../lib/worker/log.ts';
import { startWorker } from '../../lib/worker/wiring.ts';
import { withGraph, withOutbox } from '../databases.ts';
import { exitCodesText } from '../exit-codes.ts';
import { type ListenAddress, listen } from '../terminal/listen.ts';
import { addCatalogOption, type CatalogOption, readCatalogOrExit } from '../terminal/read-catalog.ts';
import { readSettingsOrExit } from '../terminal/read-settings.ts';
import { reportFailure } from '../terminal/run-command.ts';
import { type Shell, untilAborted } from '../terminal/shell.ts';

const help = `
Example:
  MONGODB_URI='mongodb://127.0.0.1:27017/?replicaSet=rs0' \\
  NEO4J_URI=bolt://127.0.0.1:7687 \\
  outgraph worker --catalog dist/catalog.js

It tails the outbox, applies events to Neo4j in batches, acknowledges them, and
republishes stale ones, until SIGTERM or Ctrl-C: then it finishes its batches
and exits with 0. Several may run: one works, the others take over when it
stops. It logs one line of JSON per entry. GET /livez answers 200 while the
process works, GET /readyz 200 while every part works (503 says what does not),
and GET /metrics has the metrics for Prometheus.

Settings, from the environment (all of them: docs/reference/settings.md):
  MONGODB_URI, MONGODB_DATABASE         documents and outbox
  NEO4J_URI, NEO4J_USERNAME,
  NEO4J_PASSWORD, NEO4J_DATABASE        graph
  OUTGRAPH_CATALOG                      as --catalog
  WORKER_CONSUMERS, WORKER_BATCH_SIZE   batches at a time, events in each
  WORKER_SWEEP_SECONDS                  between two sweeps`;

const meanings = {
  done: 'stopped',
  failed: 'the set-up is missing, or a setting is wrong in a database',
  refused: 'the port is in use, or the address is not one of this machine',
};

/** The command. */
export function workerCommand(shell: Shell): Command {
  const command = new Command('worker')
    .option('--port <port>', 'answer probes and Prometheus on this port (0: none)', port, 8080)
    .option('--bind <address>', 'listen only on this address (default: all)')
    .addHelpText('after', `${help}\n${exitCodesText(meanings)}`);
  return addCatalogOption(command).action(
    async ({ port, bind, ...options }: { port: number; bind?: string } & CatalogOption) =>
      runWorker(shell, await readSettingsOrExit(shell, workerSettings), await readCatalogOrExit(shell, options), {
        host: bind,
        port,
      }),
  );
}

async function runWorker(
  shell: Shell,
  settings: WorkerSettings,
  catalog: AggregateCatalog,
  address: ListenAddress,
): Promise<void> {
  const server = createServer();
  try {
    await checkSetUp(settings);
    const otherwise = 'choose another with --port, or 0 for none';
    if (address.port !== 0) await listen(server, address, otherwise);
  } catch (error) {
    throw reportFailure(shell, error, false);
  }
  const logger = new Logger({ serviceName: 'outgraph-worker' });
  const worker = startWorker(settings, catalog, workerLog(logger));
  collectDefaultMetrics({ register: worker.metrics });
  server.on('request', answerProbes(worker));
  logger.info('worker started', { bind: address.host, port: address.port });

  // Ignore a second signal: after an early exit, the lease would stay taken.
  const ignore = () => undefined;
  process.on('SIGTERM', ignore).on('SIGINT', ignore);
  await untilAborted(shell.signal);
  logger.info('worker stopping');
  await worker.stop();
  server.close();
  logger.info('worker stopped', { ...worker.health() });
}

const lastingCodes: ReadonlySet<string> = new Set<FaultCode>([
  'set-up-missing',
  'configuration-invalid',
  'graph-of-another-outbox',
  'clock-behind-graph',
]);

/**
 * Checks the set-up of both databases before the worker starts. Otherwise it would report the same
 * error every second. A server that does not answer now is not an error here: it may recover.
 *
 * @throws Fault `set-up-missing`, `configuration-invalid`, `graph-of-another-outbox` or
 * `clock-behind-graph`.
 */
async function checkSetUp(settings: OutboxAddress & GraphAddress): Promise<void> {
  await withOutbox(settings, async (db) => {
    await requireReplicaSet(db);
    await withGraph(db, settings, (driver) => checkGraph(driver, settings.NEO4J_DATABASE));
  }).catch((error: unknown) => {
    if (error instanceof Fault && lastingCodes.has(error.code)) throw error;
  });
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('It must be a port, from 0 to 65535.');
  return value;
}
