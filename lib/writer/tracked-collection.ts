/**
 * A collection whose writes record their events. In one transaction, each method writes the
 * documents and records an event for each document that changed. It joins the caller's transaction
 * if the options contain its session.
 */
import type {
  AggregateOptions,
  AggregationCursor,
  AnyBulkWriteOperation,
  Binary,
  BulkWriteOptions,
  BulkWriteResult,
  Collection,
  CountDocumentsOptions,
  Db,
  DeleteOptions,
  DeleteResult,
  Document,
  Filter,
  FindCursor,
  FindOneAndDeleteOptions,
  FindOneAndReplaceOptions,
  FindOneAndUpdateOptions,
  FindOptions,
  InsertManyResult,
  InsertOneOptions,
  InsertOneResult,
  Int32,
  Long,
  ModifyResult,
  MongoClient,
  ObjectId,
  OptionalUnlessRequiredId,
  ReplaceOptions,
  UpdateFilter,
  UpdateOptions,
  UpdateResult,
  WithId,
  WithoutId,
} from 'mongodb';
import type { AggregateDefinition } from '../projection/define-aggregate.ts';
import { type SettledOptions, settled } from './settled.ts';
import { TrackedDocuments } from './tracked-documents.ts';
import { driverOptions, plainResults, refuseWriting, type Tracked, untracked } from './tracked-options.ts';
import { bulkWrite } from './write-bulk.ts';
import { type ChunkOptions, deleteManyInChunks, type InChunks, updateManyInChunks } from './write-in-chunks.ts';
import { deleteMany, insert, type Update, updateMany } from './write-many.ts';
import { deleteOne, type Found, findOneAndDelete, findOneAndWrite, type OneOptions, updateOne } from './write-one.ts';

/** A document whose type does not declare its `_id` may have any that `documentId` accepts. */
type WithDocumentId<Schema extends Document> = unknown extends Schema['_id']
  ? Schema & { _id?: string | number | bigint | Int32 | Long | ObjectId | Binary }
  : Schema;

/** With the driver's `forceServerObjectId`, the library would not know the id. */
const insertOptions = { ...plainResults, forceServerObjectId: false } as const;

/** Asks for the driver's result around the document. */
interface WithMetadata {
  readonly includeResultMetadata: true;
}

/**
 * Creates a tracked collection. Its documents are the aggregates of `definition`, in the
 * definition's collection. Their type is what the payload schema reads; name another one as
 * `trackCollection<State, Schema>`, for example for a field that you write as a `Long`.
 *
 * Methods take the driver's options, and `RecordOptions` for the events. Without a session in the
 * options, each method runs its own transaction, which the driver retries.
 *
 * @example
 * const events = trackCollection(client, client.db('memory'), memoryEvent);
 * await events.updateOne({ _id: id }, { $set: { date: '05-12' } });
 */
export function trackCollection<State, Schema extends Document = Document>(
  client: MongoClient,
  db: Db,
  definition: AggregateDefinition<State, Schema>,
): TrackedCollection<State, WithDocumentId<Schema>> {
  return new TrackedCollection(client, db, definition);
}

/**
 * A tracked collection. Create it with `trackCollection`. Results are the driver's own. A rejected
 * write leaves neither document nor event. If it joined your transaction, you can then only abort
 * it.
 *
 * Each method that writes throws a Fault: `write-concern` or `no-transaction` for the transaction,
 * `untracked` for a write whose changes cannot be determined, or a data fault that names the
 * invalid path of a document.
 *
 * @example
 * const people = trackCollection<unknown, { _id: string; name: string }>(client, db, person);
 * await client.withSession((session) =>
 *   session.withTransaction(async () => {
 *     await people.insertOne({ _id: 'ada', name: 'Ada' }, { session });
 *     await people.deleteOne({ _id: 'bob' }, { session });
 *   }),
 * );
 */
export class TrackedCollection<State, Schema extends Document = Document> {
  readonly #documents: TrackedDocuments<Schema>;
  readonly #collection: Collection<Schema>;

  constructor(client: MongoClient, db: Db, definition: AggregateDefinition<State>) {
    this.#documents = new TrackedDocuments(client, db, definition as AggregateDefinition);
    this.#collection = this.#documents.collection;
  }

  async insertOne(
    document: OptionalUnlessRequiredId<Schema>,
    options: Tracked<InsertOneOptions> = {},
  ): Promise<InsertOneResult<Schema>> {
    return insert(this.#documents, [document], options, (session) =>
      this.#collection.insertOne(document, { ...driverOptions(options), ...insertOptions, session }),
    );
  }

  async insertMany(
    documents: readonly OptionalUnlessRequiredId<Schema>[],
    options: Tracked<BulkWriteOptions> = {},
  ): Promise<InsertManyResult<Schema>> {
    return insert(this.#documents, documents, options, (session) =>
      this.#collection.insertMany(documents, { ...driverOptions(options), ...insertOptions, session }),
    );
  }

  async updateOne(
    filter: Filter<Schema>,
    update: UpdateFilter<Schema> | Document[],
    options: OneOptions = {},
  ): Promise<UpdateResult<Schema>> {
    const write: Update<Schema> = (target, given) => this.#collection.updateOne(target, update, given);
    // A server before 8.0 refuses an order.
    return options.sort === undefined && this.#documents.isUnread(update, options)
      ? this.#documents.trackUnread(options, (given) =>
          write(filter, { ...driverOptions(options), ...plainResults, ...given }),
        )
      : updateOne(this.#documents, filter, options, write);
  }

  async replaceOne(
    filter: Filter<Schema>,
    replacement: WithoutId<Schema>,
    options: OneOptions = {},
  ): Promise<UpdateResult<Schema>> {
    return updateOne(
      this.#documents,
      filter,
      options,
      (target, given) =>
        this.#collection.replaceOne(target, replacement, given as ReplaceOptions) as Promise<UpdateResult<Schema>>,
    );
  }

  /**
   * Returns the document before the update, or after it with `returnDocument: 'after'`, as the
   * driver does.
   */
  async findOneAndUpdate(
    filter: Filter<Schema>,
    update: UpdateFilter<Schema> | Document[],
    options: Tracked<FindOneAndUpdateOptions> & WithMetadata,
  ): Promise<ModifyResult<Schema>>;
  async findOneAndUpdate(
    filter: Filter<Schema>,
    update: UpdateFilter<Schema> | Document[],
    options?: Tracked<FindOneAndUpdateOptions>,
  ): Promise<WithId<Schema> | null>;
  async findOneAndUpdate(
    filter: Filter<Schema>,
    update: UpdateFilter<Schema> | Document[],
    options: Tracked<FindOneAndUpdateOptions> = {},
  ): Promise<Found<Schema>> {
    if (this.#documents.isUnread(update, options))
      return this.#documents.trackUnread(options, (given) =>
        this.#collection.findOneAndUpdate(filter, update as UpdateFilter<Schema>, {
          ...driverOptions(options),
          ...given,
        }),
      );
    return findOneAndWrite(this.#documents, filter, options, (collection, target, given) =>
      collection.findOneAndUpdate(target, update as UpdateFilter<Schema>, given),
    );
  }

  /** Returns the document before or after its replacement, as `findOneAndUpdate` does. */
  async findOneAndReplace(
    filter: Filter<Schema>,
    replacement: WithoutId<Schema>,
    options: Tracked<FindOneAndReplaceOptions> & WithMetadata,
  ): Promise<ModifyResult<Schema>>;
  async findOneAndReplace(
    filter: Filter<Schema>,
    replacement: WithoutId<Schema>,
    options?: Tracked<FindOneAndReplaceOptions>,
  ): Promise<WithId<Schema> | null>;
  async findOneAndReplace(
    filter: Filter<Schema>,
    replacement: WithoutId<Schema>,
    options: Tracked<FindOneAndReplaceOptions> = {},
  ): Promise<Found<Schema>> {
    return findOneAndWrite(this.#documents, filter, options, (collection, target, given) =>
      collection.findOneAndReplace(target, replacement, given),
    );
  }

  /** Returns the document that it deleted. */
  async findOneAndDelete(
    filter: Filter<Schema>,
    options: Tracked<FindOneAndDeleteOptions> & WithMetadata,
  ): Promise<ModifyResult<Schema>>;
  async findOneAndDelete(
    filter: Filter<Schema>,
    options?: Tracked<FindOneAndDeleteOptions>,
  ): Promise<WithId<Schema> | null>;
  async findOneAndDelete(
    filter: Filter<Schema>,
    options: Tracked<FindOneAndDeleteOptions> = {},
  ): Promise<Found<Schema>> {
    return findOneAndDelete(this.#documents, filter, options);
  }

  /**
   * Updates all documents that match in one transaction, or with `chunkSize` in many.
   *
   * @throws Fault `too-many-documents` if one transaction does not take them; UnfinishedWrite if a
   * chunk fails after others were committed.
   */
  async updateMany(
    filter: Filter<Schema>,
    update: UpdateFilter<Schema> | Document[],
    options: Tracked<UpdateOptions> & ChunkOptions,
  ): Promise<InChunks<UpdateResult<Schema>>>;
  async updateMany(
    filter: Filter<Schema>,
    update: UpdateFilter<Schema> | Document[],
    options?: Tracked<UpdateOptions>,
  ): Promise<UpdateResult<Schema>>;
  async updateMany(
    filter: Filter<Schema>,
    update: UpdateFilter<Schema> | Document[],
    options: Tracked<UpdateOptions> & Partial<ChunkOptions> = {},
  ): Promise<UpdateResult<Schema>> {
    const write: Update<Schema> = (target, given) => this.#collection.updateMany(target, update, given);
    const { chunkSize } = options;
    if (chunkSize !== undefined) return updateManyInChunks(this.#documents, filter, { ...options, chunkSize }, write);
    // The driver does not retry an update of many documents outside a transaction.
    return this.#documents.isUnread(update, options)
      ? this.#documents.track(options, (session) =>
          write(filter, { ...driverOptions(options), ...plainResults, session }),
        )
      : updateMany(this.#documents, filter, options, write);
  }

  async deleteOne(filter: Filter<Schema>, options: Tracked<DeleteOptions> = {}): Promise<DeleteResult> {
    return deleteOne(this.#documents, filter, options);
  }

  /**
   * Deletes all documents that match in one transaction, or with `chunkSize` in many.
   *
   * @throws as `updateMany`.
   */
  async deleteMany(
    filter: Filter<Schema>,
    options: Tracked<DeleteOptions> & ChunkOptions,
  ): Promise<InChunks<DeleteResult>>;
  async deleteMany(filter: Filter<Schema>, options?: Tracked<DeleteOptions>): Promise<DeleteResult>;
  async deleteMany(
    filter: Filter<Schema>,
    options: Tracked<DeleteOptions> & Partial<ChunkOptions> = {},
  ): Promise<DeleteResult> {
    const { chunkSize } = options;
    return chunkSize === undefined
      ? deleteMany(this.#documents, filter, options)
      : deleteManyInChunks(this.#documents, filter, { ...options, chunkSize });
  }

  /**
   * Runs the operations in their order, in one transaction. Each document that they change together
   * has one event.
   *
   * @throws Fault `untracked` with `ordered: false`: no operation can follow one that failed.
   * @example
   * await people.bulkWrite([
   *   { insertOne: { document: { _id: 'ada', name: 'Ada' } } },
   *   { updateOne: { filter: { _id: 'bob' }, update: { $set: { name: 'Bob' } } } },
   *   { deleteMany: { filter: { name: 'Eve' } } },
   * ]);
   */
  async bulkWrite(
    operations: readonly AnyBulkWriteOperation<Schema>[],
    options: Tracked<BulkWriteOptions> = {},
  ): Promise<BulkWriteResult> {
    return bulkWrite(this.#documents, operations, options);
  }

  /**
   * Resolves when the events of a write, or newer states of their aggregates, are in the graph. Call
   * it after the commit.
   *
   * @param result what a method of this collection returned for the write.
   * @throws as `settled`.
   * @example
   * const result = await people.insertOne({ _id: 'ada', name: 'Ada' });
   * await people.settled(result, { timeoutMs: 2_000 });
   */
  async settled(result: object, options: SettledOptions = {}): Promise<void> {
    const eventIds = this.#documents.eventIdsOf(result);
    if (eventIds === undefined)
      throw new TypeError('settled needs the result that a write of this tracked collection returned.');
    return settled(this.#documents.db, eventIds, options);
  }

  /** Reads as the driver does. */
  find(filter: Filter<Schema> = {}, options: FindOptions = {}): FindCursor<WithId<Schema>> {
    return this.#collection.find(filter, options);
  }

  async findOne(filter: Filter<Schema>, options: FindOptions = {}): Promise<WithId<Schema> | null> {
    return this.#collection.findOne(filter, options);
  }

  async countDocuments(filter: Filter<Schema> = {}, options: CountDocumentsOptions = {}): Promise<number> {
    return this.#collection.countDocuments(filter, options);
  }

  /**
   * @throws Fault `untracked` if the pipeline writes (`$merge`, `$out`): its writes would have no
   * events.
   */
  aggregate<Result extends Document = Document>(
    pipeline: readonly Document[],
    options: AggregateOptions = {},
  ): AggregationCursor<Result> {
    refuseWriting(pipeline);
    return this.#collection.aggregate<Result>([...pipeline], options);
  }

  /** Always throws `untracked`. */
  drop(..._: readonly unknown[]): never {
    throw untracked('drop', 'use deleteMany, so that every document leaves the graph too');
  }

  /** Always throws `untracked`. */
  rename(..._: readonly unknown[]): never {
    throw untracked('rename', 'declare an aggregate for the new collection and move the documents');
  }
}
