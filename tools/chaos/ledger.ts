/** The ledger of a chaos run: every commit that was acknowledged to a writer. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** One commit. */
export interface LedgerLine {
  /** Identifies the write. It is part of the document, and so of the event and the graph. */
  readonly stamp: string;
  readonly operation: 'upsert' | 'delete';
  readonly id: string;
}

/** The database for the writers. */
export interface WriterTarget {
  readonly mongodbUri: string;
  readonly database: string;
  readonly prefix: string;
}

/** Starts writers, records what they report, and replaces each one that is killed. */
export class Ledger {
  readonly commits: LedgerLine[] = [];
  readonly #target: WriterTarget;
  readonly #seed: number;
  readonly #writers = new Set<ChildProcess>();
  #started = 0;
  #stopping = false;

  constructor(target: WriterTarget, seed: number) {
    this.#target = target;
    this.#seed = seed;
  }

  /** Starts one more writer. */
  startWriter(): void {
    const number = this.#started;
    this.#started += 1;
    const env = {
      ...process.env,
      MONGODB_URI: this.#target.mongodbUri,
      MONGODB_DATABASE: this.#target.database,
      PREFIX: this.#target.prefix,
      WRITER: `w${number}`,
      SEED: String(this.#seed + number),
    };
    const script = path.join(import.meta.dirname, 'writer-process.ts');
    const writer = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#writers.add(writer);
    createInterface({ input: writer.stdout }).on('line', (line) => this.#take(line));
    writer.on('exit', () => {
      this.#writers.delete(writer);
      if (!this.#stopping) this.startWriter();
    });
  }

  /** Kills the oldest writer. Another one replaces it. */
  killWriter(): void {
    const [oldest] = this.#writers;
    oldest?.kill('SIGKILL');
  }

  /** Stops all writers. After that, the ledger is complete. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const ended = [...this.#writers].map((writer) => once(writer, 'close'));
    for (const writer of this.#writers) writer.kill('SIGKILL');
    await Promise.all(ended);
  }

  #take(line: string): void {
    try {
      this.commits.push(JSON.parse(line) as LedgerLine);
    } catch {
      // A killed writer did not finish this line, so its commit was not reported.
    }
  }
}
