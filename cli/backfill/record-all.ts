/**
 * Backfills through the outbox: records every document of an aggregate type, in the order of the
 * documents' ids, while writers write. The deployed consumer then projects and applies them.
 * Documents that writers insert in the meantime have their own events. After an interruption, the
 * next run continues.
 */
import type { Position } from '../../lib/contract/position.ts';
import { type CapacityPorts, type WaitingLog, waitForCapacity } from '../throttle/capacity.ts';
import type { Pace } from '../throttle/pace.ts';

/** The progress of a backfill of one aggregate type. */
export interface BackfillProgress<Id> {
  /**
   * The cluster's time at the start. Every document up to `after` has an event with a later
   * position.
   */
  readonly startedAt: Position;
  /** The last completed document; null before the first. */
  readonly after: { readonly id: Id } | null;
  /** Events recorded so far. In a direct backfill: documents completed so far. */
  readonly recorded: number;
}

/** The result of recording a chunk of documents. */
export interface RecordedChunk<Id> {
  readonly recorded: number;
  /**
   * Recorded documents whose projection fails. Their events will be dead, so an operator sees them.
   */
  readonly unprojectable: number;
  /** Documents that cannot be recorded as events. */
  readonly unrecordable: readonly { readonly id: Id; readonly reason: string }[];
}

export interface RecordAllPorts<Id> extends Omit<CapacityPorts, 'log'> {
  readonly readProgress: () => Promise<BackfillProgress<Id> | null>;
  readonly saveProgress: (progress: BackfillProgress<Id>) => Promise<void>;
  readonly readClusterTime: () => Promise<Position>;
  readonly listDocumentIds: (after: { readonly id: Id } | null, limit: number) => Promise<readonly Id[]>;
  readonly recordCurrentStates: (ids: readonly Id[]) => Promise<RecordedChunk<Id>>;
  readonly pace: Pace;
  readonly log: RecordAllLog<Id>;
}

export interface RecordAllLog<Id> extends WaitingLog {
  readonly progress: (recorded: number) => void;
  readonly unrecordable: (id: Id, reason: string) => void;
}

export interface RecordAllOptions {
  readonly chunkDocuments: number;
  /** Waits while more events are pending, so that the users' own events are not delayed. */
  readonly maxPending: number;
}

export interface RecordAllReport {
  readonly outcome: 'done' | 'interrupted';
  readonly startedAt: Position;
  /** By this run and by the earlier runs that it continued. */
  readonly recorded: number;
  readonly unprojectable: number;
  readonly unrecordable: number;
}

/**
 * Records all documents. The caller removes the progress when the whole backfill is done.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function recordAll<Id>(ports: RecordAllPorts<Id>, options: RecordAllOptions): Promise<RecordAllReport> {
  let progress = (await ports.readProgress()) ?? {
    startedAt: await ports.readClusterTime(),
    after: null,
    recorded: 0,
  };
  // Save it before the first event: a later run must know when the backfill started.
  await ports.saveProgress(progress);
  let unprojectable = 0;
  let unrecordable = 0;
  const reportOf = (outcome: RecordAllReport['outcome']): RecordAllReport => {
    return { outcome, startedAt: progress.startedAt, recorded: progress.recorded, unprojectable, unrecordable };
  };
  for (;;) {
    if (!(await waitForCapacity(ports, options.maxPending))) return reportOf('interrupted');
    const ids = await ports.listDocumentIds(progress.after, options.chunkDocuments);
    const last = ids.at(-1);
    if (last === undefined) return reportOf('done');
    const chunk = await ports.recordCurrentStates(ids);
    for (const { id, reason } of chunk.unrecordable) ports.log.unrecordable(id, reason);
    unprojectable += chunk.unprojectable;
    unrecordable += chunk.unrecordable.length;
    progress = { ...progress, after: { id: last }, recorded: progress.recorded + chunk.recorded };
    await ports.saveProgress(progress);
    ports.log.progress(progress.recorded);
    await ports.pace(ids.length);
  }
}
