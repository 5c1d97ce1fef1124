/** Runs the command `outgraph`, in this process or, like an operator, in a separate one. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { Writable } from 'node:stream';
import { runOutgraph } from '../../cli/run-outgraph.ts';

const projectRoot = path.join(import.meta.dirname, '../..');

/** The result of a command. */
export interface OutgraphRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running command. */
export interface RunningOutgraph {
  readonly ended: Promise<OutgraphRun>;
  readonly stderrSoFar: () => string;
  /** Ctrl-C. Returns `ended`. */
  readonly interrupt: () => Promise<OutgraphRun>;
}

/** A command that runs in a separate process. */
export interface OutgraphProcess extends RunningOutgraph {
  readonly kill: () => void;
  /** Stops the process where it is, until `resume`. It keeps its connections. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** SIGTERM, as a platform sends it. Returns `ended`. */
  readonly terminate: () => Promise<OutgraphRun>;
}

type Settings = Readonly<Record<string, string>>;

/** XMem's catalog, which is used unless a test names another one. */
const ofXmem = { OUTGRAPH_CATALOG: path.join(projectRoot, 'xmem/catalog.ts') };

/** Without a `.env` or a config file, which a contributor may have in the project's root. */
const withoutFiles = import.meta.dirname;

/**
 * Starts a command in this process, with only these settings as its environment. The AWS SDK reads
 * `AWS_*` from the process, so a command that needs other values needs its own process.
 *
 * @param printed called with each output on stdout, as it is printed.
 */
export function startOutgraph(
  args: readonly string[],
  settings: Settings,
  printed: (text: string) => void = () => undefined,
  directory = withoutFiles,
): RunningOutgraph {
  const output = { stdout: '', stderr: '' };
  const collect = (name: keyof typeof output, notify: (text: string) => void) =>
    new Writable({
      decodeStrings: false,
      write: (text: string, _, done) => {
        output[name] += text;
        notify(text);
        done();
      },
    });
  const interruption = new AbortController();
  const ended = runOutgraph(args, {
    environment: { ...ofXmem, ...settings },
    directory,
    stdout: collect('stdout', printed),
    stderr: collect('stderr', () => undefined),
    ask: null,
    signal: interruption.signal,
  }).then((exitCode) => ({ exitCode, ...output }));
  const interrupt = () => {
    interruption.abort();
    return ended;
  };
  return { ended, interrupt, stderrSoFar: () => output.stderr };
}

/**
 * Starts a command in a separate process, with these settings and the environment that any process
 * needs.
 */
export function startOutgraphProcess(
  args: readonly string[],
  settings: Settings,
  printed: (text: string) => void = () => undefined,
  directory = withoutFiles,
): OutgraphProcess {
  const child = spawn(process.execPath, [path.join(projectRoot, 'cli/outgraph.ts'), ...args], {
    cwd: directory,
    env: { PATH: process.env.PATH, ...ofXmem, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (data: Buffer) => {
    output.stdout += data.toString();
    printed(data.toString());
  });
  child.stderr.on('data', (data: Buffer) => {
    output.stderr += data.toString();
  });
  const ended = new Promise<OutgraphRun>((resolve, reject) => {
    child.on('error', reject).on('close', (exitCode) => resolve({ exitCode, ...output }));
  });
  const send = (signal: NodeJS.Signals) => () => {
    child.kill(signal);
    return ended;
  };
  return {
    ended,
    stderrSoFar: () => output.stderr,
    interrupt: send('SIGINT'),
    terminate: send('SIGTERM'),
    kill: () => void child.kill('SIGKILL'),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  };
}

/**
 * Returns the JSON output of a command with `--json`, with its exit code.
 *
 * @throws Error with its text output, if it printed no JSON.
 */
export async function answerOf<Answer extends object>({
  ended,
}: RunningOutgraph): Promise<Answer & { readonly exitCode: number | null }> {
  const { exitCode, stdout, stderr } = await ended;
  if (!stdout.startsWith('{')) throw new Error(`The command printed no JSON: ${stderr}`);
  return { exitCode, ...JSON.parse(stdout) };
}

/**
 * Runs a command that must succeed, with `--yes` and `--json`. Returns its JSON output.
 *
 * @throws Error with all its output, if it does not exit 0.
 */
export async function outgraph(
  args: readonly string[],
  settings: Settings,
): Promise<Readonly<Record<string, unknown>>> {
  const { exitCode, stdout, stderr } = await startOutgraph([...args, '--yes', '--json'], settings).ended;
  if (exitCode !== 0) throw new Error(`outgraph ${args.join(' ')} exited with ${exitCode}: ${stdout}${stderr}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}
