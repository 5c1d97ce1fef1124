/** `npx outgraph`: the commands of a terminal or a container. */
import { createServer } from 'node:http';
import { Logger } from '@aws-lambda-powertools/logger';
import { Command, InvalidArgumentError } from 'commander';
import type { AggregateCatalog } from '../lib/aggregates/create-catalog.ts';
import { type SetUpSettings, setUpSettings, type WorkerSettings, workerSettings } from '../lib/config/settings.ts';
import { setUpOnce } from '../lib/wiring/set-up.ts';
import { startWorker } from '../lib/wiring/worker.ts';
import { workerLog } from '../lib/wiring/worker-log.ts';
import { consoleCommand } from './console.ts';
import { deadCommand } from './dead.ts';
import { addCatalogOption, type CatalogOption, readCatalogOrExit } from './read-catalog.ts';
import { readSettingsOrExit } from './read-settings.ts';
import { replayCommand } from './replay.ts';
import { reprojectCommand } from './reproject.ts';
import { showCommand } from './show.ts';
import { statusCommand } from './status.ts';
import { tailCommand } from './tail.ts';
import { verifyCommand } from './verify.ts';

const program = new Command('outgraph').description('Keeps a Neo4j graph in step with MongoDB.');
addCatalogOption(program.command('worker'))
  .description(
    'Tails the outbox, applies to Neo4j, acknowledges and sweeps, in one resident process; settings come from the environment.',
  )
  .option('--health-port <port>', 'answer GET /health on this port (0: no health endpoint)', port, 8080)
  .action(async ({ healthPort, ...options }: { healthPort: number } & CatalogOption) =>
    runWorker(await readSettingsOrExit(workerSettings), await readCatalogOrExit(options), healthPort),
  );
addCatalogOption(program.command('set-up'))
  .description(
    'Makes what is missing: the outbox with its validator and indexes in MongoDB, the constraints in Neo4j. Safe to run again.',
  )
  .action(async (options: CatalogOption) =>
    setUp(await readSettingsOrExit(setUpSettings), await readCatalogOrExit(options)),
  );
program
  .addCommand(statusCommand())
  .addCommand(showCommand())
  .addCommand(tailCommand())
  .addCommand(deadCommand())
  .addCommand(consoleCommand())
  .addCommand(replayCommand())
  .addCommand(reprojectCommand())
  .addCommand(verifyCommand());
await program.parseAsync();

function runWorker(settings: WorkerSettings, catalog: AggregateCatalog, healthPort: number): void {
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

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    logger.info('worker stopping');
    await worker.stop();
    server.close();
    logger.info('worker stopped', { ...worker.health() });
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
}

async function setUp(settings: SetUpSettings, catalog: AggregateCatalog): Promise<void> {
  try {
    await setUpOnce(settings, catalog);
    process.stdout.write('The outbox and the graph are set up.\n');
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('It must be a port, from 0 to 65535.');
  return value;
}
