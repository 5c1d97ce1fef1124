/**
 * How far a backfill has come, among the checkpoints, so that one that was interrupted continues. Each way has notes of
 * its own.
 */
import { BSON, type Collection, type Document, Timestamp } from 'mongodb';
import { fromPosition, type Position, toPosition } from '../../lib/contract/position.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';
import type { DocumentId } from '../documents/mongodb-documents.ts';

/** The progress with one aggregate type. */
export interface BackfillProgress {
  /** The cluster's time when it began: every document that it has passed has an event of a later position. */
  readonly startedAt: Position;
  /** The last document that was passed; null before the first. */
  readonly after: { readonly id: DocumentId } | null;
  /** Events recorded so far; straight into the graph, documents that are done. */
  readonly recorded: number;
}

/** The note's document. No `updatedAt`: that is how the sweep knows the publishers' checkpoints. */
export interface ProgressNote {
  readonly _id: string;
  readonly startedAt: Timestamp;
  /** Extended JSON, because the id may be of any BSON type. */
  readonly after: string | null;
  readonly recorded: number;
}

const majority = { writeConcern: { w: 'majority' } } as const;

/**
 * How a type is backfilled: through the outbox, or straight into the graph. One does not continue where the other was.
 */
export type BackfillWay = 'backfill' | 'direct-backfill';

/** Whose note it is. */
export interface NoteOwner {
  readonly way: BackfillWay;
  readonly aggregateType: string;
}

const noteId = ({ way, aggregateType }: NoteOwner) => `${way}/${aggregateType}`;

/** What an earlier run left; null where none did, or where it came to its end. @throws Fault `mongodb-unavailable`. */
export async function readProgressNote(
  notes: Collection<ProgressNote>,
  owner: NoteOwner,
): Promise<BackfillProgress | null> {
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
  { startedAt, after, recorded }: BackfillProgress,
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
