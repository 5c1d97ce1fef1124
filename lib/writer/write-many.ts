/** Writes of many documents in one transaction. */
import type {
  ClientSession,
  DeleteOptions,
  DeleteResult,
  Document,
  Filter,
  UpdateOptions,
  UpdateResult,
} from 'mongodb';
import { Fault } from '../contract/fault.ts';
import { inChunks } from '../runtime/in-chunks.ts';
import type { RecordOptions } from './record-event.ts';
import { asRead, asStored, type StoredDocument } from './stored-document.ts';
import { chunkDocuments, type TrackedDocuments, type TransactionOptions } from './tracked-documents.ts';
import {
  idsOf,
  plainResults,
  resolveTarget,
  type Selection,
  type Tracked,
  targetedOptions,
  withIds,
} from './tracked-options.ts';

/**
 * Number of documents that one transaction takes. MongoDB aborts a transaction after
 * `transactionLifetimeLimitSeconds`, 60 by default, and earlier if it fills the server's cache.
 *
 * https://www.mongodb.com/docs/manual/reference/parameters/#mongodb-parameter-param.transactionLifetimeLimitSeconds
 */
export const maxDocuments = 20_000;

/** Time limit of a transaction of many documents, which may be large, or the server slow. */
const maxMillis = 45_000;

/** Runs an update with the driver's options on the resolved documents. */
export type Update<Schema extends Document> = (
  target: Filter<Schema>,
  options: UpdateOptions,
) => Promise<UpdateResult<Schema>>;

/** Inserts documents and their events. Checks the events before it writes anything. */
export function insert<Schema extends Document, Result>(
  documents: TrackedDocuments<Schema>,
  inserted: readonly Document[],
  options: Tracked<TransactionOptions & { ignoreUndefined?: boolean }>,
  write: (session: ClientSession) => Promise<Result>,
): Promise<Result> {
  return documents.track(options, async (session) => {
    // The driver does the same.
    for (const document of inserted) document._id ??= documents.createId();
    const stored = inserted.map((document) => asStored(document, documents.bsonOptions(options)));
    if (!stored.every((document) => document !== null)) {
      const result = await write(session);
      const ids = inserted.map((document) => document._id);
      for (const chunk of inChunks(ids, chunkDocuments)) await documents.recordFrom(session, [], chunk, options);
      return result;
    }
    const insertEvents = await documents.prepare(
      stored.map((document) => documents.inserted(document)),
      options,
    );
    const result = await write(session);
    await insertEvents(session);
    return result;
  });
}

/**
 * Updates the documents that were just read, or with `upsert` inserts one if there are none, and
 * records the events.
 */
export async function applyUpdate<Schema extends Document>(
  documents: TrackedDocuments<Schema>,
  session: ClientSession,
  before: readonly StoredDocument[],
  filter: Filter<Schema>,
  options: Tracked<UpdateOptions>,
  write: Update<Schema>,
): Promise<UpdateResult<Schema>> {
  const { target, given, inserts } = resolveTarget(before, filter, options);
  const result = await write(target, { ...given, ...plainResults, session });
  if (inserts && result.matchedCount > 0) throw documents.unreadable(result.matchedCount, 0);
  if (result.upsertedCount > 0) {
    const after = await documents.recordFrom(session, [], [result.upsertedId], options);
    return { ...result, upsertedId: asRead(idsOf(after)[0], documents.bsonOptions(options)) };
  }
  if (result.modifiedCount > 0) await documents.recordFrom(session, before, idsOf(before), options);
  return result;
}

export function updateMany<Schema extends Document>(
  documents: TrackedDocuments<Schema>,
  filter: Filter<Schema>,
  options: Tracked<UpdateOptions>,
  write: Update<Schema>,
): Promise<UpdateResult<Schema>> {
  return documents.track(options, async (session) => {
    let sum: UpdateResult<Schema> | undefined;
    await eachChunk(documents, session, filter, options, async (before) => {
      const result = await applyUpdate(documents, session, before, filter, options, write);
      sum = {
        ...result,
        matchedCount: (sum?.matchedCount ?? 0) + result.matchedCount,
        modifiedCount: (sum?.modifiedCount ?? 0) + result.modifiedCount,
      };
    });
    return sum ?? applyUpdate(documents, session, [], filter, options, write);
  });
}

export function deleteMany<Schema extends Document>(
  documents: TrackedDocuments<Schema>,
  filter: Filter<Schema>,
  options: Tracked<DeleteOptions>,
): Promise<DeleteResult> {
  return documents.track(options, async (session) => {
    let deletedCount = 0;
    await eachChunk(documents, session, filter, options, async (before) => {
      deletedCount += await deleteAll(documents, session, before, options);
    });
    return { acknowledged: true, deletedCount };
  });
}

/** Deletes the documents that were just read, and records it. Returns their number. */
export async function deleteAll<Schema extends Document>(
  documents: TrackedDocuments<Schema>,
  session: ClientSession,
  before: readonly StoredDocument[],
  options: Tracked<DeleteOptions>,
): Promise<number> {
  const given = { ...targetedOptions(options), ...plainResults, session };
  const result = await documents.collection.deleteMany(withIds(idsOf(before)), given);
  await documents.recordDeleted(session, before, result, options);
  return result.deletedCount;
}

/** Reads the documents that match in chunks, and writes each. */
async function eachChunk<Schema extends Document>(
  documents: TrackedDocuments<Schema>,
  session: ClientSession,
  filter: Filter<Schema>,
  options: Selection & RecordOptions,
  write: (before: readonly StoredDocument[]) => Promise<void>,
): Promise<void> {
  const startedAt = performance.now();
  const ids = await documents.readIds(session, filter, options, maxDocuments + 1);
  if (ids.length > maxDocuments)
    throw tooMany(documents.name, `more than ${maxDocuments} documents match, and one transaction takes no more`);
  let written = 0;
  for (const chunk of inChunks(ids, chunkDocuments)) {
    if (performance.now() - startedAt > maxMillis)
      throw tooMany(
        documents.name,
        `${ids.length} documents match, and ${written} of them took ${maxMillis / 1000} seconds: MongoDB aborts a ` +
          'transaction after 60 (transactionLifetimeLimitSeconds)',
      );
    await write(await documents.readAll(session, chunk));
    written += chunk.length;
  }
}

export function tooMany(name: string, what: string): Fault {
  return new Fault(
    'too-many-documents',
    `${name}: ${what}. Nothing was committed. Set chunkSize (for example 1000) to commit in chunks, each with its ` +
      'own transaction, or write fewer documents at a time.',
  );
}
