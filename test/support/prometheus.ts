/**
 * Prometheus and its promtool for tests: those of the machine, or Debian's package, extracted without
 * installing it. Where neither can be had, their tests are skipped; in CI (`CI`), they are required.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../tools/local/free-port.ts';
import { install } from '../../tools/local/install.ts';
import { printStep } from '../../tools/local/progress.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';

const run = promisify(execFile);

/** The folder with both programs; null if there is none. `OUTGRAPH_PROMETHEUS` names one. */
export const prometheusFolder: string | null = await findPrometheus();

async function findPrometheus(): Promise<string | null> {
  const folders = [process.env.OUTGRAPH_PROMETHEUS ?? '', ...(process.env.PATH ?? '').split(path.delimiter)];
  const found = folders.find((folder) => folder !== '' && works(path.join(folder, 'promtool')));
  if (found !== undefined) return found;
  try {
    const installed = await install(
      { name: 'debian-prometheus', title: 'Downloading Prometheus from Debian', fill: extractPackage },
      printStep,
    );
    return path.join(installed, 'usr/bin');
  } catch (error) {
    const advice =
      'Prometheus is missing: install it with promtool ("apt-get install prometheus"), or name their folder with ' +
      'OUTGRAPH_PROMETHEUS.';
    if (process.env.CI === 'true') throw new Error(advice, { cause: error });
    console.warn(`${advice} The tests of the alert rules are skipped.`);
    return null;
  }
}

function works(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Apt verifies the package with Debian's key. */
async function extractPackage(folder: string): Promise<void> {
  const download = () =>
    run('apt-get', ['download', '-o', 'APT::Sandbox::User=', 'prometheus'], { cwd: folder }).catch(() => null);
  // The list of packages may be old or missing, and only root may renew it.
  if ((await download()) === null) {
    await run('apt-get', ['update']);
    await run('apt-get', ['download', '-o', 'APT::Sandbox::User=', 'prometheus'], { cwd: folder });
  }
  const archive = (await readdir(folder)).find((file) => file.endsWith('.deb')) ?? '';
  await run('dpkg-deb', ['--extract', archive, '.'], { cwd: folder });
  await rm(path.join(folder, archive));
}

/** Checks a file of rules, and returns what promtool prints. @throws Error if a rule is wrong. */
export async function checkRules(file: string): Promise<string> {
  return (await run(path.join(prometheusFolder ?? '', 'promtool'), ['check', 'rules', file])).stdout;
}

export interface RunningPrometheus {
  /** The names of the alerts that are firing now. */
  readonly firing: () => Promise<ReadonlySet<string>>;
  /** The number of series that an expression finds. */
  readonly count: (expression: string) => Promise<number>;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a Prometheus that scrapes and evaluates twice a second.
 *
 * @param ports of the workers, on this machine.
 */
export async function startPrometheus(rules: string, ports: readonly number[]): Promise<RunningPrometheus> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'outgraph-prometheus-'));
  const config = {
    global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' },
    rule_files: ['rules.yml'],
    scrape_configs: [{ job_name: 'outgraph', static_configs: [{ targets: ports.map((port) => `127.0.0.1:${port}`) }] }],
  };
  await writeFile(path.join(folder, 'rules.yml'), rules);
  // JSON is YAML.
  await writeFile(path.join(folder, 'prometheus.yml'), JSON.stringify(config));
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    path.join(prometheusFolder ?? '', 'prometheus'),
    ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=${address}`],
    { cwd: folder, stdio: 'ignore' },
  );
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const ask = async (request: string) => {
    const response = await fetch(`http://${address}/api/v1/${request}`);
    const { data, error } = (await response.json()) as { readonly data?: unknown; readonly error?: string };
    if (data === undefined) throw new Error(error);
    return data;
  };
  const firing = async () => {
    const { alerts } = (await ask('alerts')) as { readonly alerts: readonly Alert[] };
    return new Set(alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname));
  };
  await waitUntil(firing, { timeoutSeconds: 30, pollMillis: 100, what: 'Prometheus to answer' });
  return {
    firing,
    count: async (expression) => {
      const { result } = (await ask(`query?query=${encodeURIComponent(expression)}`)) as { result: unknown[] };
      return result.length;
    },
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

interface Alert {
  readonly state: string;
  readonly labels: { readonly alertname: string };
}
