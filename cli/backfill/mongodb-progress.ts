/**
 * Stores the progress of backfills next to the checkpoints, so that an interrupted run can
 * continue.
 */
import { BSON, type Collection, type Document, Timestamp } from 'mongodb';
import { fromPosition, toPosition } from '../../lib/contract/position.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';
import type { DocumentId } from '../documents/mongodb-documents.ts';
import type { BackfillProgress } from './record-all.ts';

/**
 * The stored progress. It has no `updatedAt`: the sweep recognises publishers' checkpoints by that
 * field.
 */
export interface ProgressNote {
  readonly _id: string;
  readonly startedAt: Timestamp;
  /** Extended JSON, because the id may be of any BSON type. */
  readonly after: string | null;
  readonly recorded: number;
}

const majority = { writeConcern: { w: 'majority' } } as const;

/**
 * Through the outbox, or straight into the graph. Each mode has its own notes, so neither continues
 * a run of the other.
 */
export type BackfillMode = 'backfill' | 'direct-backfill';

export interface NoteOwner {
  readonly mode: BackfillMode;
  readonly aggregateType: string;
}

const noteId = ({ mode, aggregateType }: NoteOwner) => `${mode}/${aggregateType}`;

/** The note of an interrupted run; null if there is none. @throws Fault `mongodb-unavailable`. */
export async function readProgressNote(
  notes: Collection<ProgressNote>,
  owner: NoteOwner,
): Promise<BackfillProgress<DocumentId> | null> {
  const note = await withMongodbFaults(() => notes.findOne({ _id: noteId(owner) }));
  if (note === null) return null;
  const after = note.after === null ? null : (BSON.EJSON.parse(note.after, { relaxed: false }) as Document);
  return {
    startedAt: toPosition(note.startedAt),
    after: after === null ? null : { id: after.id },
    recorded: note.recorded,
  };
}

/** @throws Fault `mongodb-unavailable`. */
export async function saveProgressNote(
  notes: Collection<ProgressNote>,
  owner: NoteOwner,
  { startedAt, after, recorded }: BackfillProgress<DocumentId>,
): Promise<void> {
  const fields = {
    startedAt: new Timestamp(fromPosition(startedAt)),
    after: after === null ? null : BSON.EJSON.stringify(after, { relaxed: false }),
    recorded,
  };
  await withMongodbFaults(() =>
    notes.updateOne({ _id: noteId(owner) }, { $set: fields }, { upsert: true, ...majority }),
  );
}

/** @throws Fault `mongodb-unavailable`. */
export async function removeProgressNote(notes: Collection<ProgressNote>, owner: NoteOwner): Promise<void> {
  await withMongodbFaults(() => notes.deleteOne({ _id: noteId(owner) }, majority));
}
