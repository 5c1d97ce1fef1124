/**
 * LocalStack on a loopback port, with Lambda functions running as processes instead of containers.
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type BackgroundProcess, type KeepProcess, startInBackground } from './children.ts';
import { freePort } from './free-port.ts';
import { install } from './install.ts';
import { projectRoot } from './paths.ts';
import { requirePython } from './prerequisites.ts';
import type { RunStep } from './progress.ts';
import { runCommand } from './run-command.ts';
import { waitForStart } from './wait-for-start.ts';

const version = '4.13.1';
const requirements = path.join(import.meta.dirname, 'requirements.txt');
const buildRequirements = path.join(import.meta.dirname, 'requirements-build.txt');
const executor = path.join(projectRoot, 'tools/localstack-executor');

/** A running LocalStack. */
export interface LocalstackServer {
  readonly endpointUrl: string;
  readonly process: BackgroundProcess;
}

/**
 * Returns the folder of LocalStack's virtual environment. Creates it if it does not exist yet.
 *
 * @throws StackError
 */
export async function installLocalstack(step: RunStep, signal: AbortSignal): Promise<string> {
  const digest = await digestOfSources();
  return install(
    {
      name: `localstack-${version}-${digest}`,
      title: 'Downloading LocalStack (500 MB)',
      fill: (folder, log) => fillLocalstack(folder, log, signal),
    },
    step,
  );
}

async function fillLocalstack(folder: string, logFile: string, signal: AbortSignal): Promise<void> {
  const python = requirePython('LocalStack', 'AWS_ENDPOINT_URL');
  const onFailure =
    'The download of LocalStack failed: the Python package index must be reachable, ' +
    'or set AWS_ENDPOINT_URL to a running LocalStack.';
  const run = (command: string, args: readonly string[]) =>
    runCommand({ command, args, cwd: folder, logFile, onFailure, signal });
  await run(python, ['-m', 'venv', folder]);
  const pipInstall = (args: readonly string[]) =>
    run(path.join(folder, 'bin/python'), ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-deps', ...args]);
  // pip's isolated builds would download an unpinned setuptools.
  await pipInstall(['--only-binary=:all:', '--require-hashes', '-r', buildRequirements]);
  await pipInstall(['--no-build-isolation', '--require-hashes', '-r', requirements]);
  // From a copy, because building leaves files behind.
  const copy = path.join(folder, 'executor');
  await cp(executor, copy, { recursive: true });
  await pipInstall(['--no-build-isolation', '--no-index', copy]);
}

/** A digest of what is installed, so that an older installation never hides a newer executor. */
async function digestOfSources(): Promise<string> {
  const digest = createHash('sha256').update(await readFile(requirements));
  const sources = path.join(executor, 'outgraph_executor');
  for (const name of (await readdir(sources)).sort()) {
    if (name.endsWith('.py')) digest.update(await readFile(path.join(sources, name)));
  }
  return digest.digest('hex').slice(0, 12);
}

/**
 * Starts LocalStack with its data below `folder`, and waits until it answers. Functions write their
 * logs to `logsFolder`.
 */
export async function startLocalstack(
  installation: string,
  folder: string,
  logsFolder: string,
  keep: KeepProcess,
): Promise<LocalstackServer> {
  const port = await freePort();
  const volume = path.join(folder, 'localstack');
  const temporary = path.join(volume, 'tmp');
  const logFile = path.join(logsFolder, 'localstack.log');
  await mkdir(temporary, { recursive: true });
  const process = startInBackground({
    name: 'LocalStack',
    command: path.join(installation, 'bin/python'),
    args: ['-m', 'localstack.runtime.main'],
    cwd: volume,
    env: {
      GATEWAY_LISTEN: `127.0.0.1:${port}`,
      LOCALSTACK_HOST: `127.0.0.1:${port}`,
      LOCALSTACK_VOLUME_DIR: volume,
      FILESYSTEM_ROOT: volume,
      TMPDIR: temporary,
      DNS_ADDRESS: '0',
      // Queue URLs without a host name that must be resolved.
      SQS_ENDPOINT_STRATEGY: 'path',
      SKIP_SSL_CERT_DOWNLOAD: '1',
      DISABLE_EVENTS: '1',
      // AWS reports queue metrics once a minute, which is too slow for testing alarms.
      SQS_CLOUDWATCH_METRICS_REPORT_INTERVAL: '5',
      LAMBDA_RUNTIME_EXECUTOR: 'process',
      // A busy machine starts a process slowly. The executor limits it too.
      LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT: '120',
      LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC: '0.02',
      OUTGRAPH_EXECUTOR_NODE: nodeBinary,
      OUTGRAPH_EXECUTOR_RUNTIME: path.join(executor, 'runtime.mjs'),
      OUTGRAPH_EXECUTOR_LOGS: logsFolder,
      PYTHONUNBUFFERED: '1',
    },
    logFile,
  });
  keep(process);
  const endpointUrl = `http://127.0.0.1:${port}`;
  await waitForStart(() => answers(endpointUrl), { process, logFile, pollMillis: 200 });
  return { endpointUrl, process };
}

const nodeBinary = process.execPath;

async function answers(endpointUrl: string): Promise<true | undefined> {
  const response = await fetch(`${endpointUrl}/_localstack/health`, { signal: AbortSignal.timeout(2_000) });
  return response.ok ? true : undefined;
}
