/** `outgraph worker`: the whole path in one resident process, until it is told to stop. */
import { createServer } from 'node:http';
import { Logger } from '@aws-lambda-powertools/logger';
import { Command, InvalidArgumentError } from 'commander';
import type { AggregateCatalog } from '../../lib/projection/catalog.ts';
import { type WorkerSettings, workerSettings } from '../../lib/runtime/settings.ts';
import { workerLog } from '../../lib/worker/log.ts';
import { startWorker } from '../../lib/worker/wiring.ts';
import { listen } from '../terminal/listen.ts';
import { addCatalogOption, type CatalogOption, readCatalogOrExit } from '../terminal/read-catalog.ts';
import { readSettingsOrExit } from '../terminal/read-settings.ts';
import { reportFailure } from '../terminal/run-command.ts';
import { type Shell, untilAborted } from '../terminal/shell.ts';
import { checkSetUp } from './check-set-up.ts';

const help = `
What it does: tails the outbox, applies its events to Neo4j in batches, acknowledges them, and publishes again what
stays pending. It runs until SIGTERM or Ctrl-C, finishes the batches it is applying, and ends with 0. Several may
run at once: one tails the outbox, the others take over when it stops. Its log is one line of JSON per entry.

It needs the set-up (outgraph set-up) and ends at once with 1 without it. GET /health answers 200 while every
part works, and 503 otherwise.

Settings come from the environment:
  MONGODB_URI, MONGODB_DATABASE           the documents and their outbox
  NEO4J_URI, NEO4J_USERNAME,
  NEO4J_PASSWORD, NEO4J_DATABASE          the graph
  OUTGRAPH_CATALOG                        the aggregate types of your own service, as --catalog
  WORKER_CONSUMERS, WORKER_BATCH_SIZE     batches at once, and events in each
  WORKER_SWEEP_SECONDS                    from one sweep to the next
README.md (Settings) has all of them with their defaults.

Example:
  MONGODB_URI=mongodb://127.0.0.1:27017/?replicaSet=rs0 NEO4J_URI=bolt://127.0.0.1:7687 \\
    outgraph worker --catalog dist/catalog.js --health-port 9000

Exit codes: 0 stopped, 1 the set-up is missing or a setting is wrong in a database, 2 wrong use or settings,
3 the port is in use.`;

/** The command. */
export function workerCommand(shell: Shell): Command {
  const command = new Command('worker')
    .description('Brings the outbox to Neo4j in one resident process, without a bus, queue or functions.')
    .option('--health-port <port>', 'answer GET /health on this port (0: no health endpoint)', port, 8080)
    .addHelpText('after', help);
  return addCatalogOption(command).action(async ({ healthPort, ...options }: { healthPort: number } & CatalogOption) =>
    runWorker(
      shell,
      await readSettingsOrExit(shell, workerSettings),
      await readCatalogOrExit(shell, options),
      healthPort,
    ),
  );
}

async function runWorker(
  shell: Shell,
  settings: WorkerSettings,
  catalog: AggregateCatalog,
  healthPort: number,
): Promise<void> {
  const server = createServer();
  try {
    await checkSetUp(settings);
    const otherwise = 'choose another with --health-port, or 0 for no health endpoint';
    if (healthPort !== 0) await listen(server, healthPort, otherwise);
  } catch (error) {
    throw reportFailure(shell, error, false);
  }
  const logger = new Logger({ serviceName: 'outgraph-worker' });
  const worker = startWorker(settings, catalog, workerLog(logger));
  server.on('request', (request, response) => {
    const health = worker.health();
    const found = request.url === '/health';
    response.writeHead(found ? (health.healthy ? 200 : 503) : 404, { 'content-type': 'application/json' });
    response.end(found ? JSON.stringify(health) : '{}');
  });
  logger.info('worker started', { healthPort });

  // A second signal does not cut the stop short: it would leave the lease taken.
  const ignore = () => undefined;
  process.on('SIGTERM', ignore).on('SIGINT', ignore);
  await untilAborted(shell.signal);
  logger.info('worker stopping');
  await worker.stop();
  server.close();
  logger.info('worker stopped', { ...worker.health() });
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('It must be a port, from 0 to 65535.');
  return value;
}
