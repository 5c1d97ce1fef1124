/**
 * Backfill through the outbox: records every document of an aggregate type again, in the order of the documents' ids,
 * while writers write, so that the graph gets all of them by the projection that is deployed. What a writer inserts
 * meanwhile has an event of its own. Interrupted at any point, the next run continues from there.
 */
import type { Position } from '../../lib/contract/position.ts';
import { type CapacityPorts, type WaitingLog, waitForCapacity } from '../throttle/capacity.ts';
import type { Pace } from '../throttle/pace.ts';

/** How far a backfill has come. */
export interface BackfillProgress<Id> {
  readonly startedAt: Position;
  readonly after: { readonly id: Id } | null;
  readonly recorded: number;
}

/** What recording a part came to. */
export interface RecordedPart<Id> {
  readonly recorded: number;
  readonly unprojectable: number;
  readonly unrecordable: readonly { readonly id: Id; readonly reason: string }[];
}

export interface RecordAllPorts<Id> extends Omit<CapacityPorts, 'log'> {
  readonly readProgress: () => Promise<BackfillProgress<Id> | null>;
  readonly saveProgress: (progress: BackfillProgress<Id>) => Promise<void>;
  readonly readClusterTime: () => Promise<Position>;
  readonly listDocumentIds: (after: { readonly id: Id } | null, limit: number) => Promise<readonly Id[]>;
  readonly recordCurrentStates: (ids: readonly Id[]) => Promise<RecordedPart<Id>>;
  readonly pace: Pace;
  readonly log: RecordAllLog<Id>;
}

export interface RecordAllLog<Id> extends WaitingLog {
  readonly progress: (recorded: number) => void;
  readonly unrecordable: (id: Id, reason: string) => void;
}

export interface RecordAllOptions {
  readonly chunkDocuments: number;
  /** With more pending events than this, it waits, so that the users' own events do not stand in a long queue. */
  readonly maxPending: number;
}

export interface RecordAllReport {
  readonly outcome: 'done' | 'interrupted';
  readonly startedAt: Position;
  /** By this run and those before it that it went on from. */
  readonly recorded: number;
  readonly unprojectable: number;
  readonly unrecordable: number;
}

/**
 * The caller removes the progress when all that belongs to the backfill is done.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function recordAll<Id>(ports: RecordAllPorts<Id>, options: RecordAllOptions): Promise<RecordAllReport> {
  let progress = (await ports.readProgress()) ?? {
    startedAt: await ports.readClusterTime(),
    after: null,
    recorded: 0,
  };
  // Before the first event: whoever goes on must know where all of this began.
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
    const part = await ports.recordCurrentStates(ids);
    for (const { id, reason } of part.unrecordable) ports.log.unrecordable(id, reason);
    unprojectable += part.unprojectable;
    unrecordable += part.unrecordable.length;
    progress = { ...progress, after: { id: last }, recorded: progress.recorded + part.recorded };
    await ports.saveProgress(progress);
    ports.log.progress(progress.recorded);
    await ports.pace(ids.length);
  }
}
