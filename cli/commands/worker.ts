/** `outgraph worker`: the whole path in one resident process, until it is told to stop. */
import { createServer } from 'node:http';
import { Logger } from '@aws-lambda-powertools/logger';
import { Command, InvalidArgumentError } from 'commander';
import type { AggregateCatalog } from '../../lib/aggregates/create-catalog.ts';
import { type WorkerSettings, workerSettings } from '../../lib/config/settings.ts';
import { startWorker } from '../../lib/wiring/worker.ts';
import { workerLog } from '../../lib/wiring/worker-log.ts';
import { addCatalogOption, type CatalogOption, readCatalogOrExit } from '../read-catalog.ts';
import { readSettingsOrExit } from '../read-settings.ts';
import { type Shell, untilAborted } from '../shell.ts';

/** The command. */
export function workerCommand(shell: Shell): Command {
  const command = new Command('worker')
    .description(
      'Tails the outbox, applies to Neo4j, acknowledges and sweeps, in one resident process; settings come from the environment.',
    )
    .option('--health-port <port>', 'answer GET /health on this port (0: no health endpoint)', port, 8080);
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
  { signal }: Shell,
  settings: WorkerSettings,
  catalog: AggregateCatalog,
  healthPort: number,
): Promise<void> {
  const logger = new Logger({ serviceName: 'outgraph-worker' });
  const worker = startWorker(settings, catalog, workerLog(logger));
  const server = createServer((request, response) => {
    const health = worker.health();
    const found = request.url === '/health';
    response.writeHead(found ? (health.healthy ? 200 : 503) : 404, { 'content-type': 'application/json' });
    response.end(found ? JSON.stringify(health) : '{}');
  });
  if (healthPort !== 0) server.listen(healthPort);
  logger.info('worker started', { healthPort });

  // A second signal does not cut the stop short: it would leave the lease taken.
  const ignore = () => undefined;
  process.on('SIGTERM', ignore).on('SIGINT', ignore);
  await untilAborted(signal);
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
