/**
 * Writes many documents in chunks, each in a transaction of its own with its events. Chunks follow
 * each other in the order of `_id`, so that each document is written at most once, whatever the
 * write and others change meanwhile.
 */
import type {
  ClientSession,
  DeleteOptions,
  DeleteResult,
  Document,
  Filter,
  ObjectId,
  Sort,
  UpdateOptions,
  UpdateResult,
} from 'mongodb';
import { Fault } from '../contract/fault.ts';
import type { StoredDocument } from './stored-document.ts';
import type { TrackedDocuments, TransactionOptions } from './tracked-documents.ts';
import { refuseCollation, type Selection, selection, type Tracked } from './tracked-options.ts';
import { applyUpdate, deleteAll, type Update } from './write-many.ts';

/**
 * An option of `updateMany` and `deleteMany`, for more documents than one transaction takes.
 *
 * @example
 * const options: ChunkOptions = { chunkSize: 1_000 };
 */
export interface ChunkOptions {
  /**
   * Number of documents in each chunk. Chunks are committed one after the other, each with its
   * events, so that readers can see some of them before the others. Not with `upsert`, and not in a
   * transaction of yours.
   */
  readonly chunkSize: number;
}

/**
 * The chunks of a write that were committed, and their documents.
 *
 * @example
 * const { chunks } = await people.updateMany(filter, update, { chunkSize: 1_000 });
 */
export interface CommittedChunks {
  readonly chunks: number;
  readonly matchedCount: number;
  readonly modifiedCount: number;
  readonly deletedCount: number;
}

/** The number of committed chunks, beside the driver's result. */
export type InChunks<Result> = Result & Pick<CommittedChunks, 'chunks'>;

/**
 * Thrown if a chunk fails after others were committed. `cause` is its error. Documents up to
 * `lastId`, in the order of `_id`, are written; the others are not. If the update can be repeated
 * on a document that still matches, repeat the call. Otherwise add `_id: { $gt: lastId }` to its
 * filter.
 *
 * @example
 * try {
 *   await people.updateMany({}, { $inc: { visits: 1 } }, { chunkSize: 1_000 });
 * } catch (error) {
 *   if (!(error instanceof UnfinishedWrite)) throw error;
 *   const rest = { _id: { $gt: error.lastId } };
 *   await people.updateMany(rest, { $inc: { visits: 1 } }, { chunkSize: 1_000 });
 * }
 */
export class UnfinishedWrite extends Fault {
  readonly committed: CommittedChunks;
  readonly lastId: unknown;

  constructor(name: string, committed: CommittedChunks, lastId: unknown, cause: unknown) {
    super(
      'unfinished',
      `${name}: chunk ${committed.chunks + 1} failed, after ${committed.chunks} chunks with ` +
        `${committed.matchedCount} documents were committed. See the cause, and continue after lastId.`,
      { cause },
    );
    this.committed = committed;
    this.lastId = lastId;
  }
}

export async function updateManyInChunks<Schema extends Document>(
  documents: TrackedDocuments<Schema>,
  filter: Filter<Schema>,
  { chunkSize, ...options }: Tracked<UpdateOptions & ChunkOptions>,
  write: Update<Schema>,
): Promise<InChunks<UpdateResult<Schema>>> {
  if (options.upsert === true) throw new TypeError('chunkSize and upsert exclude each other: upsert with updateOne.');
  const { committed, eventIds } = await commitChunks(documents, filter, options, chunkSize, async (session, before) => {
    const result = await applyUpdate(documents, session, before, filter, options, write);
    if (result.matchedCount !== before.length) throw documents.unreadable(before.length, result.matchedCount);
    return { modifiedCount: result.modifiedCount, deletedCount: 0 };
  });
  const { deletedCount: _, ...counts } = committed;
  const result = { acknowledged: true, upsertedCount: 0, upsertedId: null, ...counts };
  documents.remember(result, eventIds);
  return result;
}

export async function deleteManyInChunks<Schema extends Document>(
  documents: TrackedDocuments<Schema>,
  filter: Filter<Schema>,
  { chunkSize, ...options }: Tracked<DeleteOptions & ChunkOptions>,
): Promise<InChunks<DeleteResult>> {
  const { committed, eventIds } = await commitChunks(documents, filter, options, chunkSize, async (session, before) => {
    return { modifiedCount: 0, deletedCount: await deleteAll(documents, session, before, options) };
  });
  const { chunks, deletedCount } = committed;
  const result = { acknowledged: true, deletedCount, chunks };
  documents.remember(result, eventIds);
  return result;
}

type WriteChunk = (
  session: ClientSession,
  before: readonly StoredDocument[],
) => Promise<Pick<CommittedChunks, 'modifiedCount' | 'deletedCount'>>;

async function commitChunks<Schema extends Document>(
  documents: TrackedDocuments<Schema>,
  filter: Filter<Schema>,
  options: Tracked<TransactionOptions & Selection>,
  chunkSize: number,
  write: WriteChunk,
): Promise<{ readonly committed: CommittedChunks; readonly eventIds: readonly ObjectId[] }> {
  refuseCollation(options);
  if (!Number.isSafeInteger(chunkSize) || chunkSize < 1 || chunkSize > maxChunkSize)
    throw new TypeError(`chunkSize is ${chunkSize}: it must be a whole number from 1 to ${maxChunkSize}.`);
  if (options.session?.inTransaction())
    throw new TypeError(
      'chunkSize commits transactions of its own, so it cannot be used in a transaction of yours: ' +
        'call it without the session, or leave chunkSize out.',
    );
  let committed: CommittedChunks = { chunks: 0, matchedCount: 0, modifiedCount: 0, deletedCount: 0 };
  const eventIds: ObjectId[] = [];
  let last: StoredDocument | undefined;
  for (let isDone = false; !isDone; ) {
    const chunk = await documents
      .track(options, async (session) => {
        const before = await documents.read(session, after(filter, last), {
          ...selection(options),
          sort: { _id: 1 } as Sort,
          limit: chunkSize,
        });
        return { before, ...(before.length === 0 ? undefined : await write(session, before)) };
      })
      .catch((error: unknown) => {
        throw last === undefined ? error : new UnfinishedWrite(documents.name, committed, last.document._id, error);
      });
    const { before, modifiedCount = 0, deletedCount = 0 } = chunk;
    if (before.length > 0)
      committed = {
        chunks: committed.chunks + 1,
        matchedCount: committed.matchedCount + before.length,
        modifiedCount: committed.modifiedCount + modifiedCount,
        deletedCount: committed.deletedCount + deletedCount,
      };
    for (const eventId of documents.eventIdsOf(chunk) ?? []) eventIds.push(eventId);
    last = before.at(-1) ?? last;
    isDone = before.length < chunkSize;
  }
  return { committed, eventIds };
}

/** Bounds the memory: both states of a chunk's documents are kept until its commit. */
const maxChunkSize = 10_000;

/** Unlike `{ _id: { $gt } }`, the expression also matches ids of the types that follow. */
function after<Schema extends Document>(filter: Filter<Schema>, last: StoredDocument | undefined): Filter<Schema> {
  if (last === undefined) return filter;
  return { $and: [filter, { $expr: { $gt: ['$_id', { $literal: last.document._id }] } }] } as Filter<Schema>;
}
