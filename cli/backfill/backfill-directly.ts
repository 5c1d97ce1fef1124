/**
 * Backfill straight into the graph, without events, in the order of the documents' ids, while writers write. A chunk is
 * read and then applied, several chunks at a time; the progress that is noted covers only chunks that have none before
 * them under way. Interrupted at any point, the next run continues from there: to apply a chunk twice does no harm
 * (`guard-position.ts` says why).
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
  /** `recorded` counts the documents that are done. */
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
  /** Parts at a time. */
  readonly concurrency: number;
}

/** What became of the documents of this run. */
export interface DirectReport extends ChunkReport {
  readonly outcome: 'done' | 'interrupted';
  /** Done by this run and those before it that it went on from. */
  readonly documents: number;
}

/**
 * Brings over all documents. The caller removes the progress when it is done.
 *
 * @throws Fault `mongodb-unavailable` or `neo4j-unavailable` where they stay away and nobody has interrupted it; the
 * next run goes on.
 */
export async function backfillDirectly<Id>(ports: DirectPorts<Id>, options: DirectOptions): Promise<DirectReport> {
  const before = (await ports.readProgress()) ?? {
    startedAt: await ports.readClusterTime(),
    after: null,
    recorded: 0,
  };
  return new DirectBackfill(ports, options, before).run();
}

/** What became of a part; null: interrupted before it was done. */
type PartDone<Id> = { readonly last: Id; readonly documents: number; readonly report: ChunkReport } | null;

/** The state of one run. */
class DirectBackfill<Id> {
  readonly #ports: DirectPorts<Id>;
  readonly #options: DirectOptions;
  #progress: BackfillProgress<Id>;
  #sum: ChunkReport = { applied: 0, superseded: 0, throughOutbox: 0, unprojectable: 0, unrecordable: 0 };
  /** In the order of the documents. */
  readonly #underWay: Promise<PartDone<Id>>[] = [];

  constructor(ports: DirectPorts<Id>, options: DirectOptions, before: BackfillProgress<Id>) {
    this.#ports = ports;
    this.#options = options;
    this.#progress = before;
  }

  async run(): Promise<DirectReport> {
    try {
      const began = await this.#beginAll();
      return this.#report(began === 'all' && (await this.#finishUntil(0)) ? 'done' : 'interrupted');
    } catch (error) {
      // Who interrupts it while a server is away does not wait for that: what is not noted is brought over by the next
      // run.
      if (this.#ports.isInterrupted() && isUnavailable(error)) return this.#report('interrupted');
      throw error;
    } finally {
      // Whoever closes the connections next must not take them out of their hands.
      await Promise.allSettled(this.#underWay);
    }
  }

  #report(outcome: DirectReport['outcome']): DirectReport {
    return { outcome, documents: this.#progress.recorded, ...this.#sum };
  }

  async #beginAll(): Promise<'all' | 'interrupted'> {
    const { chunkDocuments, concurrency } = this.#options;
    for (let { after } = this.#progress; !this.#ports.isInterrupted(); ) {
      const from = after;
      const read = await retryWhileUnavailable(this.#ports, () => this.#ports.listDocuments(from, chunkDocuments));
      const last = read.documents.at(-1);
      if (last === undefined) return 'all';
      after = { id: last.id };
      this.#begin(read, last.id);
      await this.#ports.pace(read.documents.length);
      if (!(await this.#finishUntil(concurrency - 1))) return 'interrupted';
    }
    await this.#finishUntil(0);
    return 'interrupted';
  }

  #begin(read: DocumentsRead<Id>, last: Id): void {
    const part = backfillChunk(read, this.#ports, this.#options).then((report) =>
      report === null ? null : { last, documents: read.documents.length, report },
    );
    // It is waited for later: until then its failure is nobody's.
    part.catch(() => undefined);
    this.#underWay.push(part);
  }

  /** Waits for the oldest parts until so few are under way. False: one of them was interrupted. */
  async #finishUntil(left: number): Promise<boolean> {
    while (this.#underWay.length > left) {
      const done = (await this.#underWay[0]) ?? null;
      if (done === null) return false;
      this.#underWay.shift();
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
