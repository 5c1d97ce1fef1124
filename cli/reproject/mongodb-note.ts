/** Where a command that goes through all documents of a type is, among the checkpoints, so that one that was ended goes on where it was. Each command has notes of its own. */
import { BSON, type Collection, type Document, Timestamp } from 'mongodb';
import { fromPosition, type Position, toPosition } from '../../lib/contract/position.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';
import type { DocumentId } from '../documents/mongodb-documents.ts';

/** The progress of a command with one aggregate type. */
export interface ReprojectionProgress {
  /** The cluster's time when it began: every document that it has passed has an event of a later position. */
  readonly startedAt: Position;
  /** The last document that was passed; null before the first. */
  readonly after: { readonly id: DocumentId } | null;
  /** Events recorded so far; of a backfill that goes straight to the graph, documents that are done. */
  readonly recorded: number;
}

/** The note's document. No `updatedAt`: that is how the sweep knows the publishers' checkpoints. */
export interface ReprojectionNote {
  readonly _id: string;
  readonly startedAt: Timestamp;
  /** Extended JSON, because the id may be of any BSON type. */
  readonly after: string | null;
  readonly recorded: number;
}

const majority = { writeConcern: { w: 'majority' } } as const;

/** Commands that note how far they are: one does not go on from where the other was. */
export type NotingCommand = 'reproject' | 'backfill';

/** Whose note it is. */
export interface NoteOwner {
  readonly command: NotingCommand;
  readonly aggregateType: string;
}

const noteId = ({ command, aggregateType }: NoteOwner) => `${command}/${aggregateType}`;

/** What an earlier run left; null where none did, or where it came to its end. @throws Fault `mongodb-unavailable`. */
export async function readReprojection(
  notes: Collection<ReprojectionNote>,
  owner: NoteOwner,
): Promise<ReprojectionProgress | null> {
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
export async function saveReprojection(
  notes: Collection<ReprojectionNote>,
  owner: NoteOwner,
  { startedAt, after, recorded }: ReprojectionProgress,
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
export async function removeReprojection(notes: Collection<ReprojectionNote>, owner: NoteOwner): Promise<void> {
  await withMongodbFaults(() => notes.deleteOne({ _id: noteId(owner) }, majority));
}
