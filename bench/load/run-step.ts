/**
 * One step of a load run: writers write at a rate, the backlog is sampled, and everything is
 * awaited.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection, Db, Document } from 'mongodb';
import { type Lag, readLag, readPending } from '../../demo/outbox-figures.ts';
import { showProgress } from '../../demo/show-progress.ts';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { LoadWriters, type Written } from './load-writers.ts';
import { SendWatch } from './send-watch.ts';

/** The target of a run. */
export interface LoadTarget {
  readonly mongodbUri: string;
  readonly db: Db;
  /** Names the run in labels and ids. */
  readonly run: string;
  readonly signal: AbortSignal;
}

/** The result of one step. */
export interface StepResult extends Written {
  readonly asked: number;
  /** Documents in one transaction. */
  readonly together: number;
  /** Pending events when the writers had finished. */
  readonly pendingAtEnd: number;
  /** How fast the backlog grew over the second half of the step, in events per second. */
  readonly growth: number;
  readonly lag: Lag;
  /** Observed from outside, every tenth of a second; null if it could not be observed. */
  readonly longestSendWaitMillis: number | null;
  readonly events: number;
  readonly processed: number;
  readonly dead: number;
  /** Events per second from the first write until everything was settled. */
  readonly settledPerSecond: number;
}

/** The backlog at one moment. */
interface Sample {
  readonly seconds: number;
  readonly pending: number;
}

const sampleMillis = 250;

/** If nothing was settled for this long, waiting longer would not help. */
const stalledMillis = 60_000;

/** Runs one step. `name` distinguishes its documents from those of other steps. */
export async function runStep(
  target: LoadTarget,
  name: string,
  rate: number,
  seconds: number,
  together = 1,
): Promise<StepResult> {
  const { db, run, mongodbUri, signal } = target;
  const prefix = `${run}-${name}`;
  const outbox = db.collection(outboxCollection);
  const writers = await LoadWriters.start({
    mongodbUri,
    database: db.databaseName,
    run,
    prefix,
    rate,
    seconds,
    together,
  });
  const sends = new SendWatch(db);
  try {
    const startedAt = performance.now();
    const step = new WatchedStep(outbox, prefix, writers, Math.round(rate * seconds), signal);
    const { written, samples } = await step.watch();
    const pendingAtEnd = samples.at(-1)?.pending ?? 0;
    const settledPerSecond = (written.written * 1000) / (performance.now() - startedAt);
    const [events, processed, dead] = await Promise.all(
      [{}, { status: 'processed' }, { status: 'dead' }].map((also) =>
        outbox.countDocuments({ ...eventsOf(prefix), ...also }),
      ),
    );
    return {
      asked: rate,
      together,
      ...written,
      pendingAtEnd,
      growth: growthOf(samples, seconds),
      lag: await readLag(outbox, eventsOf(prefix)),
      longestSendWaitMillis: await sends.end(),
      events: events ?? 0,
      processed: processed ?? 0,
      dead: dead ?? 0,
      settledPerSecond,
    };
  } finally {
    writers.kill();
    await sends.end();
  }
}

/** The events whose document ids start with this prefix. */
function eventsOf(prefix: string): Document {
  return { aggregateType: 'graph', aggregateId: { $gte: `${prefix}-`, $lt: `${prefix}.` } };
}

/**
 * The growth from the middle of the step to its end. Each point is the mean over a fifth of the
 * step, because batches make the backlog fluctuate.
 */
function growthOf(samples: readonly Sample[], seconds: number): number {
  const mean = (from: number, to: number) => {
    const window = samples.filter((sample) => sample.seconds >= from * seconds && sample.seconds <= to * seconds);
    return window.reduce((sum, { pending }) => sum + pending, 0) / Math.max(1, window.length);
  };
  return (mean(0.8, 1) - mean(0.4, 0.6)) / (0.4 * seconds);
}

/** The state of a step while it runs. */
class WatchedStep {
  readonly #outbox: Collection<Document>;
  readonly #events: Document;
  readonly #writers: LoadWriters;
  readonly #writes: number;
  readonly #signal: AbortSignal;

  constructor(outbox: Collection<Document>, prefix: string, writers: LoadWriters, writes: number, signal: AbortSignal) {
    this.#outbox = outbox;
    this.#events = eventsOf(prefix);
    this.#writers = writers;
    this.#writes = writes;
    this.#signal = signal;
  }

  /**
   * Shows the progress until everything is settled or nothing is settled any more. The samples end
   * with the writers.
   */
  async watch(): Promise<{ readonly written: Written; readonly samples: readonly Sample[] }> {
    const display = showProgress(this.#writes);
    const samples: Sample[] = [];
    const startedAt = performance.now();
    let result: Written | undefined;
    const writing = this.#writers.write().then((written) => {
      result = written;
    });
    writing.catch(() => undefined);
    let settled = 0;
    let settledAt = startedAt;
    try {
      for (;;) {
        this.#signal.throwIfAborted();
        const done = result;
        const { pending, lagSeconds } = await readPending(this.#outbox, this.#events);
        const now = performance.now();
        const { written } = this.#writers;
        const applied = Math.max(0, written - pending);
        display.update({ written, applied, pending, lagSeconds });
        if (samples.at(-1) === undefined || done === undefined)
          samples.push({ seconds: (now - startedAt) / 1000, pending });
        if (applied > settled) {
          settled = applied;
          settledAt = now;
        }
        if (done !== undefined && (pending === 0 || now - settledAt > stalledMillis)) return { written: done, samples };
        // Rejects immediately if a writer exited before it was done.
        await (done === undefined ? Promise.race([writing, sleep(sampleMillis)]) : sleep(sampleMillis));
      }
    } finally {
      display.end();
    }
  }
}
