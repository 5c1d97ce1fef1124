/** The writers of one step: separate processes that start together. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { WriterLine, WriterOrder } from './writer-process.ts';

/** The number of processes that share the rate. */
export const writerCount = 2;

/** The result of the writers. */
export interface Written {
  readonly written: number;
  /** Writes whose outcome is unknown. */
  readonly failed: number;
  /**
   * Commits per second of all writers together, from the common start to the last commit of each
   * writer.
   */
  readonly held: number;
}

export class LoadWriters {
  readonly #written: number[] = [];
  readonly #children: ChildProcess[] = [];
  readonly #seconds: number;

  private constructor(seconds: number) {
    this.#seconds = seconds;
  }

  /** Starts the processes. Resolves when all are ready. */
  static async start(order: WriterOrder): Promise<LoadWriters> {
    const writers = new LoadWriters(order.seconds);
    try {
      await Promise.all(Array.from({ length: writerCount }, (_, index) => writers.#start(order, index)));
    } catch (error) {
      writers.kill();
      throw error;
    }
    return writers;
  }

  /** Commits so far. */
  get written(): number {
    return this.#written.reduce((sum, written) => sum + written, 0);
  }

  /**
   * Starts the writing, and resolves when all are done.
   *
   * @throws Error if one exits before it is done.
   */
  async write(): Promise<Written> {
    const all = await Promise.all(
      this.#children.map((child) => {
        const done = lineOf(child, 'done');
        child.stdin?.end('go\n');
        return done;
      }),
    );
    return {
      written: all.reduce((sum, { written }) => sum + written, 0),
      failed: all.reduce((sum, { failed }) => sum + failed, 0),
      held: all.reduce((sum, { written, seconds }) => sum + written / Math.max(seconds, this.#seconds), 0),
    };
  }

  /** Kills them immediately. */
  kill(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  async #start(order: WriterOrder, index: number): Promise<void> {
    const own: WriterOrder = { ...order, prefix: `${order.prefix}-w${index}`, rate: order.rate / writerCount };
    const child = spawn(process.execPath, [path.join(import.meta.dirname, 'writer-process.ts')], {
      env: { ...process.env, WRITER_ORDER: JSON.stringify(own) },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#children.push(child);
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (text) => {
      const line = JSON.parse(text) as WriterLine;
      if (line.say !== 'ready') this.#written[index] = line.written;
      child.emit(line.say, line);
    });
    await lineOf(child, 'ready');
  }
}

type LineOf<Word extends WriterLine['say']> = Extract<WriterLine, { say: Word }>;

async function lineOf<Word extends WriterLine['say']>(child: ChildProcess, word: Word): Promise<LineOf<Word>> {
  const ended = new AbortController();
  const { signal } = ended;
  const exit = once(child, 'close', { signal }).then(() => {
    throw new Error(`A writer exited before it was ${word}.`);
  });
  try {
    const [line] = await Promise.race([once(child, word, { signal }), exit]);
    return line as LineOf<Word>;
  } finally {
    exit.catch(() => undefined);
    ended.abort();
  }
}
