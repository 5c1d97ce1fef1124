/**
 * A collection whose writes cannot forget their events: each verb writes the documents and records the events of those that changed, in one
 * transaction. It joins the caller's transaction if the options carry the session of one.
 */
import type {
  AggregateOptions,
  AggregationCursor,
  BSONSerializeOptions,
  BulkWriteOptions,
  ClientSession,
  Collection,
  Db,
  DeleteOptions,
  DeleteResult,
  Document,
  Filter,
  FindCursor,
  FindOneAndUpdateOptions,
  FindOptions,
  InsertManyResult,
  InsertOneOptions,
  InsertOneResult,
  MongoClient,
  OptionalUnlessRequiredId,
  Sort,
  UpdateFilter,
  UpdateOptions,
  UpdateResult,
  WithId,
  WithoutId,
} from 'mongodb';
import type { AggregateDefinition } from '../aggregates/define-aggregate.ts';
import { Fault } from '../contract/fault.ts';
import { inChunks } from '../in-chunks.ts';
import { exactTypes } from '../mongodb/read-outbox-event.ts';
import { asStored } from './as-stored.ts';
import { documentChanges } from './document-changes.ts';
import { inTransaction } from './in-transaction.ts';
import { type RecordOptions, recordEvents } from './record-event.ts';

/** The driver's options, and the trace context of the events. */
type Tracked<Options> = Options & RecordOptions;

/** Documents that are read, written and read again at a time: bounds the memory of `updateMany` and `deleteMany`. */
const chunkDocuments = 500;

/**
 * Makes a collection tracked: its documents are the aggregates of `definition`, in the definition's collection.
 *
 * @example
 * const events = trackCollection(client, client.db('memory'), memoryEvent);
 * await events.updateOne({ _id: id }, { $set: { date: '05-12' } });
 */
export function trackCollection<State, Schema extends Document = Document>(
  client: MongoClient,
  db: Db,
  definition: AggregateDefinition<State>,
): TrackedCollection<State, Schema> {
  return new TrackedCollection(client, db, definition);
}

/** See `trackCollection`. Results are the driver's own; a rejected write leaves neither document nor event. */
export class TrackedCollection<State, Schema extends Document = Document> {
  readonly #client: MongoClient;
  readonly #db: Db;
  readonly #definition: AggregateDefinition<State>;
  readonly #collection: Collection<Schema>;

  constructor(client: MongoClient, db: Db, definition: AggregateDefinition<State>) {
    this.#client = client;
    this.#db = db;
    this.#definition = definition;
    this.#collection = db.collection<Schema>(definition.collection);
  }

  async insertOne(
    document: OptionalUnlessRequiredId<Schema>,
    options: Tracked<InsertOneOptions> = {},
  ): Promise<InsertOneResult<Schema>> {
    return this.#track(options, async (session) => {
      const result = await this.#collection.insertOne(document, { ...driverOptions(options), session });
      await this.#recordInserted(session, [document], [result.insertedId], options);
      return result;
    });
  }

  async insertMany(
    documents: readonly OptionalUnlessRequiredId<Schema>[],
    options: Tracked<BulkWriteOptions> = {},
  ): Promise<InsertManyResult<Schema>> {
    return this.#track(options, async (session) => {
      const result = await this.#collection.insertMany(documents, { ...driverOptions(options), session });
      const ids = Object.values(result.insertedIds);
      for (const [chunk, inserted] of inChunks(documents, chunkDocuments).entries()) {
        const start = chunk * chunkDocuments;
        await this.#recordInserted(session, inserted, ids.slice(start, start + inserted.length), options);
      }
      return result;
    });
  }

  async updateOne(
    filter: Filter<Schema>,
    update: UpdateFilter<Schema> | Document[],
    options: Tracked<UpdateOptions & { sort?: Sort }> = {},
  ): Promise<UpdateResult<Schema>> {
    return this.#trackOne(filter, options, (target, session) =>
      this.#collection.updateOne(target, update, { ...driverOptions(options), session }),
    );
  }

  async replaceOne(
    filter: Filter<Schema>,
    replacement: WithoutId<Schema>,
    options: Tracked<UpdateOptions> = {},
  ): Promise<UpdateResult<Schema>> {
    return this.#trackOne(filter, options, (target, session) =>
      this.#collection.replaceOne(target, replacement, { ...driverOptions(options), session } as Parameters<
        Collection<Schema>['replaceOne']
      >[2]),
    ) as Promise<UpdateResult<Schema>>;
  }

  /** Returns what the driver does: the document before the update, or after it with `returnDocument: 'after'`. */
  async findOneAndUpdate(
    filter: Filter<Schema>,
    update: UpdateFilter<Schema> | Document[],
    options: Tracked<Omit<FindOneAndUpdateOptions, 'includeResultMetadata'>> = {},
  ): Promise<WithId<Schema> | null> {
    return this.#track(options, async (session) => {
      const [before] = await this.#read(session, filter, {
        limit: 1,
        ...(options.sort === undefined ? {} : { sort: options.sort }),
      });
      const target = before === undefined ? filter : targetOf(before, filter);
      const { value, lastErrorObject } = await this.#collection.findOneAndUpdate(
        target,
        update as UpdateFilter<Schema>,
        {
          ...driverOptions(options),
          session,
          includeResultMetadata: true,
        },
      );
      const id = before?._id ?? lastErrorObject?.upserted;
      if (id !== undefined) await this.#recordFrom(session, before === undefined ? [] : [before], [id], options);
      return value;
    });
  }

  async updateMany(
    filter: Filter<Schema>,
    update: UpdateFilter<Schema> | Document[],
    options: Tracked<UpdateOptions> = {},
  ): Promise<UpdateResult<Schema>> {
    return this.#track(options, async (session) => {
      const ids = await this.#readIds(session, filter);
      if (ids.length === 0) {
        const result = await this.#collection.updateMany(filter, update, { ...driverOptions(options), session });
        if (result.upsertedId !== null) await this.#recordFrom(session, [], [result.upsertedId], options);
        return result;
      }
      let sum: UpdateResult<Schema> | undefined;
      for (const chunk of inChunks(ids, chunkDocuments)) {
        const before = await this.#read(session, withIds(chunk));
        const target = { $and: [withIds(chunk), filter] } as Filter<Schema>;
        const result = await this.#collection.updateMany(target, update, {
          ...driverOptions(options),
          upsert: false,
          session,
        });
        await this.#recordFrom(session, before, chunk, options);
        sum = {
          ...result,
          matchedCount: (sum?.matchedCount ?? 0) + result.matchedCount,
          modifiedCount: (sum?.modifiedCount ?? 0) + result.modifiedCount,
        };
      }
      return sum as UpdateResult<Schema>;
    });
  }

  async deleteOne(filter: Filter<Schema>, options: Tracked<DeleteOptions> = {}): Promise<DeleteResult> {
    return this.#track(options, async (session) => {
      const before = await this.#read(session, filter, { limit: 1 });
      const [document] = before;
      const target = document === undefined ? filter : (withIds([document._id]) as Filter<Schema>);
      const result = await this.#collection.deleteOne(target, { ...driverOptions(options), session });
      if (result.deletedCount > 0) await this.#recordFrom(session, before, [], options);
      return result;
    });
  }

  async deleteMany(filter: Filter<Schema>, options: Tracked<DeleteOptions> = {}): Promise<DeleteResult> {
    return this.#track(options, async (session) => {
      let deletedCount = 0;
      for (const chunk of inChunks(await this.#readIds(session, filter), chunkDocuments)) {
        const before = await this.#read(session, withIds(chunk));
        const result = await this.#collection.deleteMany(withIds(chunk) as Filter<Schema>, {
          ...driverOptions(options),
          session,
        });
        await this.#recordFrom(session, before, [], options);
        deletedCount += result.deletedCount;
      }
      return { acknowledged: true, deletedCount };
    });
  }

  /** Reads are the driver's own. */
  find(filter: Filter<Schema> = {}, options: FindOptions = {}): FindCursor<WithId<Schema>> {
    return this.#collection.find(filter, options);
  }

  async findOne(filter: Filter<Schema>, options: FindOptions = {}): Promise<WithId<Schema> | null> {
    return this.#collection.findOne(filter, options);
  }

  async countDocuments(filter: Filter<Schema> = {}): Promise<number> {
    return this.#collection.countDocuments(filter);
  }

  /** @throws Fault `untracked` if the pipeline writes (`$merge`, `$out`): its writes would have no events. */
  aggregate<Result extends Document = Document>(
    pipeline: readonly Document[],
    options: AggregateOptions = {},
  ): AggregationCursor<Result> {
    const writing = pipeline
      .flatMap((stage) => Object.keys(stage))
      .find((name) => name === '$merge' || name === '$out');
    if (writing !== undefined)
      throw untracked(`A pipeline with ${writing}`, 'read with the pipeline, and write with updateOne or insertMany');
    return this.#collection.aggregate<Result>([...pipeline], options);
  }

  /** Always refuses: which documents a bulk write changed cannot be told from its answer. */
  bulkWrite(..._: readonly unknown[]): never {
    throw untracked(
      'bulkWrite',
      'use insertMany, updateOne, updateMany or deleteMany, in one transaction if they belong together',
    );
  }

  /** Always refuses. */
  findOneAndReplace(..._: readonly unknown[]): never {
    throw untracked('findOneAndReplace', 'use findOneAndUpdate or replaceOne');
  }

  /** Always refuses. */
  findOneAndDelete(..._: readonly unknown[]): never {
    throw untracked('findOneAndDelete', 'use findOne and deleteOne in one transaction');
  }

  /** Always refuses. */
  drop(..._: readonly unknown[]): never {
    throw untracked('drop', 'use deleteMany, so that every document leaves the graph too');
  }

  /** Always refuses. */
  rename(..._: readonly unknown[]): never {
    throw untracked('rename', 'declare an aggregate for the new collection and move the documents');
  }

  async #track<Result>(
    options: { readonly session?: ClientSession; readonly collation?: unknown },
    work: (session: ClientSession) => Promise<Result>,
  ): Promise<Result> {
    // Ids are compared by it too, so that which documents are changed could not be told.
    if (options.collation !== undefined)
      throw untracked(
        'A write with a collation',
        'read with the collation and write by _id, or give the collection one',
      );
    return inTransaction(this.#client, options.session, work);
  }

  /** Resolves the filter to one document first, so that its state before and after can be compared. */
  #trackOne(
    filter: Filter<Schema>,
    options: Tracked<UpdateOptions & { sort?: Sort }>,
    write: (target: Filter<Schema>, session: ClientSession) => Promise<UpdateResult<Schema>>,
  ): Promise<UpdateResult<Schema>> {
    return this.#track(options, async (session) => {
      const before = await this.#read(session, filter, {
        limit: 1,
        ...(options.sort === undefined ? {} : { sort: options.sort }),
      });
      const [document] = before;
      const result = await write(document === undefined ? filter : targetOf(document, filter), session);
      const id = document?._id ?? result.upsertedId;
      if (id !== null && (result.modifiedCount > 0 || result.upsertedCount > 0))
        await this.#recordFrom(session, before, [id], options);
      return result;
    });
  }

  /** Reads the documents as they are now, and records an event for each that differs from before. */
  async #recordFrom(
    session: ClientSession,
    before: readonly Document[],
    ids: readonly unknown[],
    options: RecordOptions,
  ): Promise<void> {
    const after = ids.length === 0 ? [] : await this.#read(session, withIds(ids));
    await this.#record(session, before, after, options);
  }

  /** Records the documents that were just inserted; reads them only if the server may have changed them. */
  async #recordInserted(
    session: ClientSession,
    documents: readonly Document[],
    ids: readonly unknown[],
    options: RecordOptions & BSONSerializeOptions,
  ): Promise<void> {
    const stored = documents.map((document) => asStored(document, { ...this.#collection.bsonOptions, ...options }));
    if (stored.includes(null)) return this.#recordFrom(session, [], ids, options);
    await this.#record(session, [], stored as readonly Document[], options);
  }

  async #record(
    session: ClientSession,
    before: readonly Document[],
    after: readonly Document[],
    { traceparent }: RecordOptions,
  ): Promise<void> {
    const changes = documentChanges(this.#definition, before, after);
    await recordEvents(session, this.#db, this.#definition, changes, traceparent === undefined ? {} : { traceparent });
  }

  async #read(session: ClientSession, filter: Document, options: FindOptions = {}): Promise<Document[]> {
    return this.#collection.find(filter as Filter<Schema>, { ...options, ...exactTypes, session }).toArray();
  }

  async #readIds(session: ClientSession, filter: Filter<Schema>): Promise<unknown[]> {
    const documents = await this.#collection.find(filter, { projection: { _id: 1 }, session, ...exactTypes }).toArray();
    return documents.map((document) => document._id);
  }
}

/** What the driver takes: without the trace context, which is ours. */
function driverOptions<Options extends RecordOptions>(options: Options): Omit<Options, 'traceparent'> {
  const { traceparent: _, ...others } = options;
  return others;
}

/** The one document, if it still matches; the filter stays, because `$` in an update takes its place from it. */
function targetOf<Schema extends Document>(document: Document, filter: Filter<Schema>): Filter<Schema> {
  return { $and: [{ _id: document._id }, filter] } as Filter<Schema>;
}

function withIds(ids: readonly unknown[]): Document {
  return { _id: { $in: ids } };
}

function untracked(what: string, instead: string): Fault {
  return new Fault(
    'untracked',
    `${what} is not possible on a tracked collection, because it would write without recording events: ${instead}.`,
  );
}
