/**
 * Backfills straight into the graph, without events, in the order of the documents' ids, while
 * writers write. Reads and applies several chunks at a time. The saved progress covers only chunks
 * with none in flight before them. After an interruption, the next run continues from there:
 * applying a chunk twice is harmless (see `guard-position.ts`).
 */
import type { Position } from '../../lib/contract/position.ts';
import type { Pace } from '../throttle/pace.ts';
import {
  backfillChunk,
  type ChunkOptions,
  type ChunkPorts,
  type ChunkReport,
  type DocumentsRead,
} from './backfill-chunk.ts';
import type { BackfillProgress } from './record-all.ts';
import { isUnavailable, retryWhileUnavailable } from './retry-while-unavailable.ts';

export interface DirectPorts<Id> extends ChunkPorts<Id> {
  /** `recorded` is the number of completed documents. */
  readonly readProgress: () => Promise<BackfillProgress<Id> | null>;
  readonly saveProgress: (progress: BackfillProgress<Id>) => Promise<void>;
  readonly readClusterTime: () => Promise<Position>;
  /** The next documents, in the order of their ids. */
  readonly listDocuments: (after: { readonly id: Id } | null, limit: number) => Promise<DocumentsRead<Id>>;
  readonly pace: Pace;
  readonly progress: (documents: number) => void;
}

export interface DirectOptions extends ChunkOptions {
  readonly chunkDocuments: number;
  /** Chunks at a time. */
  readonly concurrency: number;
}

/** The outcome of this run. */
export interface DirectReport extends ChunkReport {
  readonly outcome: 'done' | 'interrupted';
  /** Completed by this run and by the earlier runs that it continued. */
  readonly documents: number;
}

/**
 * Backfills all documents. The caller removes the progress when it is done.
 *
 * @throws Fault `mongodb-unavailable` or `neo4j-unavailable` if the server stays unavailable; the
 * next run continues.
 */
export async function backfillDirectly<Id>(ports: DirectPorts<Id>, options: DirectOptions): Promise<DirectReport> {
  const before = (await ports.readProgress()) ?? {
    startedAt: await ports.readClusterTime(),
    after: null,
    recorded: 0,
  };
  return new DirectBackfill(ports, options, before).run();
}

/** A completed chunk; null if it was interrupted. */
type ChunkDone<Id> = { readonly last: Id; readonly documents: number; readonly report: ChunkReport } | null;

/** The state of one run. */
class DirectBackfill<Id> {
  readonly #ports: DirectPorts<Id>;
  readonly #options: DirectOptions;
  #progress: BackfillProgress<Id>;
  #sum: ChunkReport = { applied: 0, superseded: 0, throughOutbox: 0, unprojectable: 0, unrecordable: 0 };
  /** In the order of the documents. */
  readonly #inFlight: Promise<ChunkDone<Id>>[] = [];

  constructor(ports: DirectPorts<Id>, options: DirectOptions, before: BackfillProgress<Id>) {
    this.#ports = ports;
    this.#options = options;
    this.#progress = before;
  }

  async run(): Promise<DirectReport> {
    try {
      const started = await this.#startAll();
      return this.#report(started === 'all' && (await this.#finishUntil(0)) ? 'done' : 'interrupted');
    } catch (error) {
      // An interrupted run does not wait for an unavailable server. The next run repeats the
      // unsaved chunks.
      if (this.#ports.isInterrupted() && isUnavailable(error)) return this.#report('interrupted');
      throw error;
    } finally {
      // The caller closes the connections next, and the chunks still use them.
      await Promise.allSettled(this.#inFlight);
    }
  }

  #report(outcome: DirectReport['outcome']): DirectReport {
    return { outcome, documents: this.#progress.recorded, ...this.#sum };
  }

  async #startAll(): Promise<'all' | 'interrupted'> {
    const { chunkDocuments, concurrency } = this.#options;
    for (let { after } = this.#progress; !this.#ports.isInterrupted(); ) {
      const from = after;
      const read = await retryWhileUnavailable(this.#ports, () => this.#ports.listDocuments(from, chunkDocuments));
      const last = read.documents.at(-1);
      if (last === undefined) return 'all';
      after = { id: last.id };
      this.#start(read, last.id);
      await this.#ports.pace(read.documents.length);
      if (!(await this.#finishUntil(concurrency - 1))) return 'interrupted';
    }
    await this.#finishUntil(0);
    return 'interrupted';
  }

  #start(read: DocumentsRead<Id>, last: Id): void {
    const chunk = backfillChunk(read, this.#ports, this.#options).then((report) =>
      report === null ? null : { last, documents: read.documents.length, report },
    );
    // The promise is awaited later. Until then, its rejection must not count as unhandled.
    chunk.catch(() => undefined);
    this.#inFlight.push(chunk);
  }

  /**
   * Waits for the oldest chunks until at most `remaining` are in flight. False if one was
   * interrupted.
   */
  async #finishUntil(remaining: number): Promise<boolean> {
    while (this.#inFlight.length > remaining) {
      const done = (await this.#inFlight[0]) ?? null;
      if (done === null) return false;
      this.#inFlight.shift();
      const { recorded } = this.#progress;
      this.#progress = { ...this.#progress, after: { id: done.last }, recorded: recorded + done.documents };
      await retryWhileUnavailable(this.#ports, () => this.#ports.saveProgress(this.#progress));
      this.#sum = addReports(this.#sum, done.report);
      this.#ports.progress(this.#progress.recorded);
    }
    return true;
  }
}

function addReports(left: ChunkReport, right: ChunkReport): ChunkReport {
  return {
    applied: left.applied + right.applied,
    superseded: left.superseded + right.superseded,
    throughOutbox: left.throughOutbox + right.throughOutbox,
    unprojectable: left.unprojectable + right.unprojectable,
    unrecordable: left.unrecordable + right.unrecordable,
  };
}
