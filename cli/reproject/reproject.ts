/**
 * Records every document of an aggregate type anew, in the order of the documents' ids, while writers write: the graph gets all of them by the projection of today. What a writer
 * inserts meanwhile has an event of its own. Ended at any point, the next run goes on where this one was.
 */
import type { Position } from '../../lib/contract/position.ts';
import type { Pace } from '../throttle/pace.ts';
import { hasRoom, type RoomPorts, type WaitingLog } from '../throttle/room.ts';

/** How far it is. */
export interface ReprojectProgress<Id> {
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

export interface ReprojectPorts<Id> extends Omit<RoomPorts, 'log'> {
  readonly readProgress: () => Promise<ReprojectProgress<Id> | null>;
  readonly saveProgress: (progress: ReprojectProgress<Id>) => Promise<void>;
  readonly readClusterTime: () => Promise<Position>;
  readonly listDocumentIds: (after: { readonly id: Id } | null, limit: number) => Promise<readonly Id[]>;
  readonly recordCurrentStates: (ids: readonly Id[]) => Promise<RecordedPart<Id>>;
  readonly pace: Pace;
  readonly log: ReprojectLog<Id>;
}

export interface ReprojectLog<Id> extends WaitingLog {
  readonly progress: (recorded: number) => void;
  readonly unrecordable: (id: Id, reason: string) => void;
}

export interface ReprojectOptions {
  readonly chunkDocuments: number;
  /** With more pending events than this, it waits, so that the users' own events do not stand in a long queue. */
  readonly maxPending: number;
}

export interface ReprojectReport {
  readonly outcome: 'done' | 'interrupted';
  readonly startedAt: Position;
  /** By this run and those before it that it went on from. */
  readonly recorded: number;
  readonly unprojectable: number;
  readonly unrecordable: number;
}

/** Records all documents. The caller removes the progress when all that belongs to the reprojection is done. @throws Fault `mongodb-unavailable`. */
export async function reproject<Id>(ports: ReprojectPorts<Id>, options: ReprojectOptions): Promise<ReprojectReport> {
  let progress = (await ports.readProgress()) ?? {
    startedAt: await ports.readClusterTime(),
    after: null,
    recorded: 0,
  };
  // Before the first event: whoever goes on must know where all of this began.
  await ports.saveProgress(progress);
  let unprojectable = 0;
  let unrecordable = 0;
  const reportOf = (outcome: ReprojectReport['outcome']): ReprojectReport => {
    return { outcome, startedAt: progress.startedAt, recorded: progress.recorded, unprojectable, unrecordable };
  };
  for (;;) {
    if (!(await hasRoom(ports, options.maxPending))) return reportOf('interrupted');
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
