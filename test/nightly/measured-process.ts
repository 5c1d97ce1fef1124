/**
 * Runs a script of this project in a separate process with a small heap. Its memory is read from
 * the kernel.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from '../../tools/local/paths.ts';

export interface MeasuredScript {
  /** The file, relative to the project's root, and its arguments. */
  readonly script: readonly [string, ...string[]];
  readonly heapMegabytes: number;
  readonly env: Readonly<Record<string, string>>;
}

export class MeasuredProcess {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #exited: Promise<unknown>;

  constructor({ script: [file, ...args], heapMegabytes, env }: MeasuredScript) {
    this.#child = spawn(
      process.execPath,
      [`--max-old-space-size=${heapMegabytes}`, path.join(projectRoot, file), ...args],
      { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] },
    );
    this.#exited = once(this.#child, 'close');
    if (this.#child.stdout !== null)
      createInterface({ input: this.#child.stdout }).on('line', (line) => this.#lines.push(line));
  }

  /** The lines of its output so far. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /**
   * Peak memory of the process.
   *
   * @throws Error if it has exited.
   */
  async peakMegabytes(): Promise<number> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, 'utf8');
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
    if (kilobytes === undefined) throw new Error('The process has exited, so its memory is unknown.');
    return Number(kilobytes) / 1024;
  }

  /** @throws Error if the process has exited. */
  expectAlive(): void {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null)
      throw new Error(`The process has exited. Its last lines:\n${this.#lines.slice(-10).join('\n')}`);
  }

  /** Asks the process to stop. Returns its exit code. */
  async stop(): Promise<number | null> {
    this.#child.stdin?.end();
    this.#child.kill('SIGTERM');
    await this.#exited;
    return this.#child.exitCode;
  }
}
