/** Runs the tools of another language. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** A tool's command and the folder in which it runs. */
export interface Tool {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Variables in addition to the environment of the tests. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Runs a tool. Returns its output.
 *
 * @throws Error with all its output, if it failed.
 */
export async function runTool({ command, args, cwd, env }: Tool): Promise<string> {
  try {
    const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 };
    const { stdout } = await promisify(execFile)(command, [...args], options);
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string };
    throw new Error(`${command} ${args.join(' ')}:\n${stdout}${stderr || String(error)}`);
  }
}
