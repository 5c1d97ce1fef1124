/** Runs the command `outgraph` as an operator does, in a process of its own. */
import { spawn } from 'node:child_process';
import path from 'node:path';

const projectRoot = path.join(import.meta.dirname, '../..');

/** What a command came to. */
export interface OutgraphRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs; `interrupt` is Ctrl-C. */
export interface RunningOutgraph {
  readonly ended: Promise<OutgraphRun>;
  readonly interrupt: () => void;
  readonly kill: () => void;
}

/**
 * Starts a command with these settings and nothing else of the environment but what a process needs.
 *
 * @param printed called with what it prints on stdout, as it does.
 */
export function startOutgraph(
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
  printed: (text: string) => void = () => undefined,
): RunningOutgraph {
  const child = spawn(process.execPath, [path.join(projectRoot, 'cli/outgraph.ts'), ...args], {
    cwd: projectRoot,
    env: { PATH: process.env.PATH, ...settings },
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
  return { ended, interrupt: () => void child.kill('SIGINT'), kill: () => void child.kill('SIGKILL') };
}

/**
 * Runs a command that must end well, with `--yes` and `--json`, and returns what it printed for programs.
 *
 * @throws Error with all that it said, if it did not end with 0.
 */
export async function outgraph(
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, unknown>>> {
  const { exitCode, stdout, stderr } = await startOutgraph([...args, '--yes', '--json'], settings).ended;
  if (exitCode !== 0) throw new Error(`outgraph ${args.join(' ')} ended with ${exitCode}: ${stdout}${stderr}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}
