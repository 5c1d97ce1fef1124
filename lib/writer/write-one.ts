/** Writes of one document: update, replace, delete, and the same with the document as the result. */
import type {
  Collection,
  DeleteOptions,
  DeleteResult,
  Document,
  Filter,
  FindOneAndDeleteOptions,
  FindOneAndReplaceOptions,
  FindOneAndUpdateOptions,
  FindOptions,
  ModifyResult,
  Sort,
  UpdateOptions,
  UpdateResult,
  WithId,
} from 'mongodb';
import { asRead } from './stored-document.ts';
import type { TrackedDocuments } from './tracked-documents.ts';
import { idsOf, plainResults, resolveTarget, type Tracked, targetedOptions, withIds } from './tracked-options.ts';
import { applyUpdate, type Update } from './write-many.ts';

/** Options of an update of one document. */
export type OneOptions = Tracked<UpdateOptions & { sort?: Sort }>;

export function updateOne<Schema extends Document>(
  documents: TrackedDocuments<Schema>,
  filter: Filter<Schema>,
  options: OneOptions,
  write: Update<Schema>,
): Promise<UpdateResult<Schema>> {
  return documents.track(options, async (session) => {
    const before = await documents.readFirst(session, filter, options);
    return applyUpdate(documents, session, before, filter, options, write);
  });
}

export function deleteOne<Schema extends Document>(
  documents: TrackedDocuments<Schema>,
  filter: Filter<Schema>,
  options: Tracked<DeleteOptions>,
): Promise<DeleteResult> {
  return documents.track(options, async (session) => {
    const before = await documents.readFirst(session, filter, options);
    const given = { ...targetedOptions(options), ...plainResults, session };
    const result = await documents.collection.deleteOne(withIds(idsOf(before)), given);
    await documents.recordDeleted(session, before, result, options);
    return result;
  });
}

/** Options of a write that returns the document. */
export type FindOneAndOptions = FindOneAndUpdateOptions & FindOneAndReplaceOptions;

/** Calls the driver's `findOneAndUpdate` or `findOneAndReplace` on the resolved document. */
export type FindOneAndWrite<Schema extends Document> = (
  collection: Collection<Schema>,
  target: Filter<Schema>,
  options: FindOneAndOptions & { includeResultMetadata: true },
) => Promise<ModifyResult<Schema>>;

/** The document that the write returns, or the driver's whole result. */
export type Found<Schema> = WithId<Schema> | ModifyResult<Schema> | null;

export function findOneAndWrite<Schema extends Document>(
  documents: TrackedDocuments<Schema>,
  filter: Filter<Schema>,
  options: Tracked<FindOneAndOptions>,
  write: FindOneAndWrite<Schema>,
): Promise<Found<Schema>> {
  return documents.track(options, async (session) => {
    const before = await documents.readFirst(session, filter, options);
    const { target, given, inserts } = resolveTarget(before, filter, options);
    const result = await write(documents.collection, target, {
      ...given,
      ...(inserts ? plainResults : {}),
      session,
      includeResultMetadata: true,
    });
    if (!inserts) {
      await documents.recordFrom(session, before, idsOf(before), options);
      return found(result, options);
    }
    const { lastErrorObject } = result;
    if (lastErrorObject?.updatedExisting === true) throw documents.unreadable(1, 0);
    const after = await documents.recordFrom(session, [], [lastErrorObject?.upserted], options);
    const ids = idsOf(after);
    const upserted = { ...lastErrorObject, upserted: asRead(ids[0], documents.bsonOptions(options)) };
    if (result.value === null) return found({ ...result, lastErrorObject: upserted }, options);
    // Read again with the caller's options.
    const { returnDocument: _, upsert: __, includeResultMetadata: ___, ...read } = given as FindOneAndOptions;
    const value = await documents.collection.findOne(withIds(ids), {
      ...read,
      readPreference: 'primary',
      session,
    } as FindOptions);
    return found({ ...result, value, lastErrorObject: upserted }, options);
  });
}

export function findOneAndDelete<Schema extends Document>(
  documents: TrackedDocuments<Schema>,
  filter: Filter<Schema>,
  options: Tracked<FindOneAndDeleteOptions>,
): Promise<Found<Schema>> {
  return documents.track(options, async (session) => {
    const before = await documents.readFirst(session, filter, options);
    const result = await documents.collection.findOneAndDelete(withIds(idsOf(before)), {
      ...targetedOptions(options),
      session,
      includeResultMetadata: true,
    });
    await documents.recordDeleted(session, before, { deletedCount: result.value === null ? 0 : 1 }, options);
    return found(result, options);
  });
}

function found<Schema>(
  result: ModifyResult<Schema>,
  { includeResultMetadata }: { readonly includeResultMetadata?: boolean },
): Found<Schema> {
  return includeResultMetadata === true ? result : result.value;
}
