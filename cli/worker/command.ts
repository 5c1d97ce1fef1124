/** `outgraph worker`: the whole path in one resident process, until it is stopped. */
import { createServer } from 'node:http';
import { Logger } from '@aws-lambda-powertools/logger';
import { Command, InvalidArgumentError, Option } from 'commander';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { AggregateCatalog } from '../../lib/projection/catalog.ts';
import { type SetUpSettings, setUpSettings, type WorkerSettings, workerSettings } from '../../lib/runtime/settings.ts';
import { answerProbes } from '../../lib/worker/answer-probes.ts';
import { workerLog } from '../../lib/worker/log.ts';
import { startWorker, type Worker } from '../../lib/worker/wiring.ts';
import { withOutbox } from '../databases.ts';
import { exitCodes, exitCodesText } from '../exit-codes.ts';
import { listen } from '../terminal/listen.ts';
import { addCatalogOption, type CatalogOption, readCatalogOrExit } from '../terminal/read-catalog.ts';
import { readSettingsOrExit } from '../terminal/read-settings.ts';
import { reportFailure, wholePositive } from '../terminal/run-command.ts';
import { Exit, type Shell, untilAborted } from '../terminal/shell.ts';
import { drain, sweepOnce } from './drain.ts';
import { checkServers, isAway, setUp, setUpWhenReachable } from './prepare.ts';
import { terminalLogger } from './terminal-logger.ts';

const help = `
Example:
  MONGODB_URI='mongodb://127.0.0.1:27017/?replicaSet=rs0' \\
  NEO4J_URI=bolt://127.0.0.1:7687 \\
  outgraph worker --set-up --catalog dist/catalog.js

It tails the outbox, applies events to Neo4j in batches, acknowledges them, and
republishes stale ones, until SIGTERM or Ctrl-C: then it finishes its batches
and exits with 0. Several may run: they share the aggregates, and take over the
share of one that stops. It waits for a server that is away, and exits at once
if it can never work. GET /livez answers 200 while the process works, GET
/readyz 200 while every part works (503 says what does not), and GET /metrics
has the metrics for Prometheus.

--once is for CI and scripts: it sweeps, applies what is pending when it starts,
and exits with 0 if nothing is left and no event is dead.

Settings, from the environment, .env or outgraph.config.ts (all of them:
docs/reference/settings.md):
  MONGODB_URI, MONGODB_DATABASE         documents and outbox
  NEO4J_URI, NEO4J_USERNAME,
  NEO4J_PASSWORD, NEO4J_DATABASE        graph
  OUTGRAPH_CATALOG                      as --catalog
  WORKER_CONSUMERS, WORKER_BATCH_SIZE   batches at a time, events in each
  WORKER_SWEEP_SECONDS                  between two sweeps
  POWERTOOLS_LOG_LEVEL                  DEBUG, INFO, WARN or ERROR`;

const meanings = {
  done: 'stopped; with --once: everything that was pending is applied',
  failed:
    'it cannot work: the set-up is missing, or a server refuses it;\n' +
    '       with --once: a server is away, or events are dead or still pending',
  refused: 'the port is in use, or the address is not one of this machine',
};

interface WorkerOptions extends CatalogOption {
  readonly port: number;
  readonly bind?: string;
  readonly setUp?: true;
  readonly once?: true;
  readonly giveUpAfter: number;
  readonly json?: true;
}

type Settings = WorkerSettings & SetUpSettings;

/** The command. */
export function workerCommand(shell: Shell): Command {
  const command = new Command('worker')
    .option('--set-up', 'create what is missing in both databases first')
    .addOption(new Option('--once', 'apply what is pending, and exit').conflicts(['port', 'bind']))
    .option('--give-up-after <seconds>', 'end --once after this time without progress', wholePositive, 120)
    .option('--port <port>', 'answer probes and Prometheus on this port (0: none)', port, 8080)
    .option('--bind <address>', 'listen only on this address (default: all)')
    .option('--json', 'log JSON on a terminal too')
    .addHelpText('after', `${help}\n${exitCodesText(meanings)}`);
  return addCatalogOption(command).action(async (options: WorkerOptions) => {
    const settings = await readSettingsOrExit(shell, workerSettings.extend(setUpSettings.shape));
    const catalog = await readCatalogOrExit(shell, options);
    const isTerminal = shell.stdout.isTTY === true && shell.stderr.isTTY === true;
    const logger =
      isTerminal && options.json !== true ? terminalLogger(shell) : new Logger({ serviceName: 'outgraph-worker' });
    await (options.once === true ? runOnce : runWorker)({ shell, settings, catalog, logger, options }).catch(
      (error: unknown) => {
        throw reportFailure(shell, error, false);
      },
    );
  });
}

interface Run {
  readonly shell: Shell;
  readonly settings: Settings;
  readonly catalog: AggregateCatalog;
  readonly logger: Logger;
  readonly options: WorkerOptions;
}

async function runWorker({ shell: { signal }, settings, catalog, logger, options }: Run): Promise<void> {
  const { bind: host, port } = options;
  const server = createServer();
  let answer = answerProbes(starting);
  server.on('request', (request, response) => answer(request, response));
  const otherwise = 'choose another with --port, or 0 for none';
  try {
    if (port !== 0) await listen(server, { host, port }, otherwise);
    if (options.setUp === true) await setUpWhenReachable(settings, catalog, logger, signal);
    else
      await checkServers(settings).catch((error: unknown) => {
        if (!isAway(error)) throw error;
      });
    if (!signal.aborted) {
      const worker = startWorker(settings, catalog, workerLog(logger));
      collectDefaultMetrics({ register: worker.metrics });
      answer = answerProbes(worker);
      logger.info('worker started', { bind: host, port });
      ignoreSignals();
      await untilAborted(signal);
      await stop(worker, logger);
    }
  } finally {
    server.close();
  }
}

/** While the worker waits for its set-up. */
const starting = {
  readiness: async () => ({ ready: false, problems: ['The worker is starting.'] }),
  metrics: new Registry(),
};

async function runOnce({ shell, settings, catalog, logger, options }: Run): Promise<void> {
  const log = workerLog(logger);
  if (options.setUp === true) await setUp(settings, catalog, logger);
  else await checkServers(settings);
  await sweepOnce(settings, log);
  const worker = startWorker(settings, catalog, log);
  ignoreSignals();
  const limits = { giveUpSeconds: options.giveUpAfter, signal: shell.signal };
  const drained = await withOutbox(settings, (db) => drain(db, worker.health, limits)).finally(() =>
    stop(worker, logger),
  );
  if (drained === null) throw new Exit(exitCodes.interrupted);
  const { pending, dead, reason } = drained;
  if (reason !== null) shell.stderr.write(`${pending} ${events(pending)} still pending. ${reason}\n`);
  if (dead > 0) shell.stderr.write(`${dead} ${events(dead)} dead. See why: npx outgraph dead list\n`);
  if (reason !== null || dead > 0) throw new Exit(exitCodes.failed);
}

function events(count: number): string {
  return count === 1 ? 'event is' : 'events are';
}

/** Ignores a second signal: after an early exit, the lease would stay taken. */
function ignoreSignals(): void {
  const ignore = () => undefined;
  process.on('SIGTERM', ignore).on('SIGINT', ignore);
}

async function stop(worker: Worker, logger: Logger): Promise<void> {
  logger.info('worker stopping');
  await worker.stop();
  logger.info('worker stopped', { ...worker.health() });
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('It must be a port, from 0 to 65535.');
  return value;
}
