/**
 * A collection whose writes record their events. In one transaction, each method writes the
 * documents and records an event for each document that changed. It joins the caller's transaction
 * if the options contain its session.
 */
import {
  type AggregateOptions,
  type AggregationCursor,
  type BSONSerializeOptions,
  type BulkWriteOptions,
  type ClientSession,
  type Collection,
  type CountDocumentsOptions,
  type Db,
  type DeleteOptions,
  type DeleteResult,
  type Document,
  type Filter,
  type FindCursor,
  type FindOneAndUpdateOptions,
  type FindOptions,
  type InsertManyResult,
  type InsertOneOptions,
  type InsertOneResult,
  type MongoClient,
  ObjectId,
  type OptionalUnlessRequiredId,
  type ReplaceOptions,
  type Sort,
  type UpdateFilter,
  type UpdateOptions,
  type UpdateResult,
  type WithId,
  type WithoutId,
} from 'mongodb';
import { Fault } from '../contract/fault.ts';
import type { AggregateDefinition } from '../projection/define-aggregate.ts';
import { inChunks } from '../runtime/in-chunks.ts';
import { documentChanges } from './document-changes.ts';
import { inTransaction } from './in-transaction.ts';
import { createEvents, insertEvents, type RecordOptions } from './record-event.ts';
import { type SettledOptions, settled } from './settled.ts';
import { asRead, asStored, readAfter, readBefore, type StoredDocument } from './stored-document.ts';

/** The driver's options and outgraph's. */
type Tracked<Options> = Options & RecordOptions;

/**
 * Options with which the library itself reads the server's results, whatever the client's options
 * are.
 */
const plainResults = {
  raw: false,
  promoteValues: true,
  promoteLongs: true,
  promoteBuffers: false,
  useBigInt64: false,
  bsonRegExp: true,
} as const;

/** With the driver's `forceServerObjectId`, the library would not know the id. */
const insertOptions = { ...plainResults, forceServerObjectId: false } as const;

/**
 * Number of documents that are read, written and read again at a time. It bounds the memory of
 * `updateMany` and `deleteMany`.
 */
const chunkDocuments = 500;

/**
 * Creates a tracked collection. Its documents are the aggregates of `definition`, in the
 * definition's collection.
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
  definition: AggregateDefinition<State>,
): TrackedCollection<State, Schema> {
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
  readonly #client: MongoClient;
  readonly #db: Db;
  readonly #definition: AggregateDefinition<State>;
  readonly #collection: Collection<Schema>;
  /** The ids of the events that a running call has recorded, by its session. */
  readonly #recording = new WeakMap<ClientSession, ObjectId[]>();
  /** The same by the call's result. */
  readonly #recorded = new WeakMap<object, readonly ObjectId[]>();

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
    return this.#insert([document], options, (session) =>
      this.#collection.insertOne(document, { ...driverOptions(options), ...insertOptions, session }),
    );
  }

  async insertMany(
    documents: readonly OptionalUnlessRequiredId<Schema>[],
    options: Tracked<BulkWriteOptions> = {},
  ): Promise<InsertManyResult<Schema>> {
    return this.#insert(documents, options, (session) =>
      this.#collection.insertMany(documents, { ...driverOptions(options), ...insertOptions, session }),
    );
  }

  async updateOne(
    filter: Filter<Schema>,
    update: UpdateFilter<Schema> | Document[],
    options: Tracked<UpdateOptions & { sort?: Sort }> = {},
  ): Promise<UpdateResult<Schema>> {
    return this.#updateOne(filter, options, (target, given) => this.#collection.updateOne(target, update, given));
  }

  async replaceOne(
    filter: Filter<Schema>,
    replacement: WithoutId<Schema>,
    options: Tracked<UpdateOptions & { sort?: Sort }> = {},
  ): Promise<UpdateResult<Schema>> {
    return this.#updateOne(
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
    options: Tracked<Omit<FindOneAndUpdateOptions, 'includeResultMetadata'>> = {},
  ): Promise<WithId<Schema> | null> {
    return this.#track(options, async (session) => {
      const before = await this.#readFirst(session, filter, options);
      const { target, given, inserts } = resolveTarget(before, filter, options);
      const { value, lastErrorObject } = await this.#collection.findOneAndUpdate(
        target,
        update as UpdateFilter<Schema>,
        { ...given, ...(inserts ? plainResults : {}), session, includeResultMetadata: true },
      );
      if (!inserts) {
        await this.#recordFrom(session, before, idsOf(before), options);
        return value;
      }
      if (lastErrorObject?.updatedExisting === true) throw this.#unreadable(1, 0);
      const after = await this.#recordFrom(session, [], [lastErrorObject?.upserted], options);
      if (value === null) return null;
      // Read again with the caller's options.
      const { returnDocument: _, upsert: __, ...read } = given as FindOneAndUpdateOptions;
      return this.#collection.findOne(withIds(idsOf(after)), {
        ...read,
        readPreference: 'primary',
        session,
      } as FindOptions);
    });
  }

  async updateMany(
    filter: Filter<Schema>,
    update: UpdateFilter<Schema> | Document[],
    options: Tracked<UpdateOptions> = {},
  ): Promise<UpdateResult<Schema>> {
    return this.#track(options, async (session) => {
      const ids = await this.#readIds(session, filter, options);
      let sum: UpdateResult<Schema> | undefined;
      for (const chunk of ids.length === 0 ? [[]] : inChunks(ids, chunkDocuments)) {
        const before = await this.#readAll(session, chunk);
        const result = await this.#update(session, before, filter, options, (target, given) =>
          this.#collection.updateMany(target, update, given),
        );
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
      const before = await this.#readFirst(session, filter, options);
      const result = await this.#collection.deleteOne(withIds(idsOf(before)), {
        ...targetedOptions(options),
        ...plainResults,
        session,
      });
      await this.#recordDeleted(session, before, result, options);
      return result;
    });
  }

  async deleteMany(filter: Filter<Schema>, options: Tracked<DeleteOptions> = {}): Promise<DeleteResult> {
    return this.#track(options, async (session) => {
      let deletedCount = 0;
      for (const chunk of inChunks(await this.#readIds(session, filter, options), chunkDocuments)) {
        const before = await this.#readAll(session, chunk);
        const result = await this.#collection.deleteMany(withIds(chunk), {
          ...targetedOptions(options),
          ...plainResults,
          session,
        });
        await this.#recordDeleted(session, before, result, options);
        deletedCount += result.deletedCount;
      }
      return { acknowledged: true, deletedCount };
    });
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
    const eventIds = this.#recorded.get(result);
    if (eventIds === undefined)
      throw new TypeError('settled needs the result that a write of this tracked collection returned.');
    return settled(this.#db, eventIds, options);
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
    const writing = pipeline
      .flatMap((stage) => Object.keys(stage))
      .find((name) => name === '$merge' || name === '$out');
    if (writing !== undefined)
      throw untracked(`A pipeline with ${writing}`, 'read with the pipeline, and write with updateOne or insertMany');
    return this.#collection.aggregate<Result>([...pipeline], options);
  }

  /**
   * Always throws `untracked`: the result of a bulk write does not show which documents changed.
   */
  bulkWrite(..._: readonly unknown[]): never {
    throw untracked(
      'bulkWrite',
      'use insertMany, updateOne, updateMany or deleteMany, in one transaction if they belong together',
    );
  }

  /** Always throws `untracked`. */
  findOneAndReplace(..._: readonly unknown[]): never {
    throw untracked('findOneAndReplace', 'use findOneAndUpdate or replaceOne');
  }

  /** Always throws `untracked`. */
  findOneAndDelete(..._: readonly unknown[]): never {
    throw untracked('findOneAndDelete', 'use findOne and deleteOne in one transaction');
  }

  /** Always throws `untracked`. */
  drop(..._: readonly unknown[]): never {
    throw untracked('drop', 'use deleteMany, so that every document leaves the graph too');
  }

  /** Always throws `untracked`. */
  rename(..._: readonly unknown[]): never {
    throw untracked('rename', 'declare an aggregate for the new collection and move the documents');
  }

  async #track<Result>(
    options: { readonly session?: ClientSession; readonly collation?: unknown },
    work: (session: ClientSession) => Promise<Result>,
  ): Promise<Result> {
    // A collation also applies to ids, so the changed documents could not be determined.
    if (options.collation !== undefined)
      throw untracked(
        'A write with a collation',
        'read with the collation and write by _id, or give the collection one',
      );
    let eventIds: ObjectId[] = [];
    const result = await inTransaction(this.#client, options.session, (session) => {
      eventIds = [];
      this.#recording.set(session, eventIds);
      return work(session);
    });
    if (typeof result === 'object' && result !== null) this.#recorded.set(result, eventIds);
    return result;
  }

  async #insertEvents(session: ClientSession, events: Awaited<ReturnType<typeof createEvents>>): Promise<void> {
    this.#recording.get(session)?.push(...(await insertEvents(session, this.#db, events)));
  }

  /** Inserts documents and their events. Checks the events before it writes anything. */
  async #insert<Result>(
    documents: readonly Document[],
    options: Tracked<InsertOneOptions>,
    insert: (session: ClientSession) => Promise<Result>,
  ): Promise<Result> {
    return this.#track(options, async (session) => {
      // The driver does the same.
      for (const document of documents) document._id ??= this.#db.options?.pkFactory?.createPk() ?? new ObjectId();
      const stored = documents.map((document) => asStored(document, this.#bsonOptions(options)));
      if (!stored.every((document) => document !== null)) {
        const result = await insert(session);
        for (const chunk of inChunks(documents.map(idOf), chunkDocuments))
          await this.#recordFrom(session, [], chunk, options);
        return result;
      }
      const changes = stored.map((payload) => {
        return { operation: 'upsert', aggregateId: this.#definition.id(payload), payload } as const;
      });
      const events = await createEvents(this.#definition, changes, options);
      const result = await insert(session);
      await this.#insertEvents(session, events);
      return result;
    });
  }

  #updateOne(
    filter: Filter<Schema>,
    options: Tracked<UpdateOptions & { sort?: Sort }>,
    write: Update<Schema>,
  ): Promise<UpdateResult<Schema>> {
    return this.#track(options, async (session) => {
      const before = await this.#readFirst(session, filter, options);
      return this.#update(session, before, filter, options, write);
    });
  }

  /**
   * Updates the documents that were just read, or with `upsert` inserts one if there are none, and
   * records the events.
   */
  async #update(
    session: ClientSession,
    before: readonly StoredDocument[],
    filter: Filter<Schema>,
    options: Tracked<UpdateOptions>,
    write: Update<Schema>,
  ): Promise<UpdateResult<Schema>> {
    const { target, given, inserts } = resolveTarget(before, filter, options);
    const result = await write(target, { ...given, ...plainResults, session });
    if (inserts && result.matchedCount > 0) throw this.#unreadable(result.matchedCount, 0);
    if (result.upsertedCount > 0) {
      const after = await this.#recordFrom(session, [], [result.upsertedId], options);
      return { ...result, upsertedId: asRead(idsOf(after)[0], this.#bsonOptions(options)) };
    }
    if (result.modifiedCount > 0) await this.#recordFrom(session, before, idsOf(before), options);
    return result;
  }

  /** Reads the documents again and records an event for each one that changed. */
  async #recordFrom(
    session: ClientSession,
    before: readonly StoredDocument[],
    ids: readonly unknown[],
    options: RecordOptions,
  ): Promise<readonly StoredDocument[]> {
    const after = await this.#readAll(session, ids, readAfter);
    await this.#record(session, before, after, options);
    return after;
  }

  async #recordDeleted(
    session: ClientSession,
    before: readonly StoredDocument[],
    { deletedCount }: DeleteResult,
    options: RecordOptions,
  ): Promise<void> {
    if (deletedCount !== before.length) throw this.#unreadable(deletedCount, before.length);
    await this.#record(session, before, [], options);
  }

  async #record(
    session: ClientSession,
    before: readonly StoredDocument[],
    after: readonly StoredDocument[],
    options: RecordOptions,
  ): Promise<void> {
    const changes = documentChanges(this.#definition, before, after, options);
    await this.#insertEvents(session, await createEvents(this.#definition, changes, options));
  }

  /**
   * Reads the document that a single-document write will change, to compare it afterwards. Empty if
   * nothing matches.
   */
  async #readFirst(
    session: ClientSession,
    filter: Filter<Schema>,
    options: Selection & { sort?: Sort },
  ): Promise<readonly StoredDocument[]> {
    const sort = options.sort === undefined ? {} : { sort: options.sort };
    const found = await this.#read(session, filter, { ...selection(options), ...sort, limit: 1 });
    return found.map(readBefore);
  }

  async #readIds(session: ClientSession, filter: Filter<Schema>, options: Selection): Promise<readonly unknown[]> {
    const found = await this.#read(session, filter, { ...selection(options), projection: { _id: 1 } });
    return idsOf(found.map(readBefore));
  }

  /**
   * @throws Fault `untracked` unless every document is found, because an event would be missing.
   */
  async #readAll(
    session: ClientSession,
    ids: readonly unknown[],
    decode = readBefore,
  ): Promise<readonly StoredDocument[]> {
    if (ids.length === 0) return [];
    const found = await this.#read(session, withIds(ids));
    if (found.length !== ids.length) throw this.#unreadable(ids.length, found.length);
    return found.map(decode);
  }

  /** Reads raw bytes, so that the client's own options do not apply. */
  async #read(session: ClientSession, filter: Filter<Schema>, options: FindOptions = {}): Promise<Uint8Array[]> {
    const cursor = this.#collection.find(filter, { ...options, raw: true, readPreference: 'primary', session });
    return (await cursor.toArray()) as unknown as Uint8Array[];
  }

  #bsonOptions(options: BSONSerializeOptions): BSONSerializeOptions {
    return { ...this.#collection.bsonOptions, ...options };
  }

  #unreadable(written: number, read: number): Fault {
    return new Fault(
      'untracked',
      `${this.#definition.collection}: a write affected ${written} documents, and ${read} of them could be ` +
        'read back by their _id, so their events cannot be recorded. Nothing was committed. Filter by values ' +
        'that do not change meanwhile (no $$NOW), and use an _id that MongoDB returns as it is stored: no date ' +
        'out of range, no object with numbers as field names.',
    );
  }
}

/** Runs an update with the driver's options on the resolved documents. */
type Update<Schema extends Document> = (
  target: Filter<Schema>,
  options: UpdateOptions,
) => Promise<UpdateResult<Schema>>;

/** Options of a write that decide which documents its filter matches. Reads must use them too. */
type Selection = Pick<UpdateOptions, 'hint' | 'let' | 'ignoreUndefined' | 'serializeFunctions' | 'checkKeys'>;

function selection({ hint, let: variables, ignoreUndefined, serializeFunctions, checkKeys }: Selection): FindOptions {
  const given = { hint, let: variables, ignoreUndefined, serializeFunctions, checkKeys };
  return Object.fromEntries(Object.entries(given).filter(([, option]) => option !== undefined));
}

/** Returns the driver's options, without outgraph's. */
function driverOptions<Options extends RecordOptions>(options: Options): Omit<Options, keyof RecordOptions> {
  const { traceparent: _, recordUnchanged: __, ...others } = options;
  return others;
}

/** Returns the options of a write by ids. Hint and sort were only needed to find the documents. */
function targetedOptions<Options extends RecordOptions & { hint?: unknown; sort?: unknown }>(
  options: Options,
): Omit<Options, keyof RecordOptions | 'hint' | 'sort'> {
  const { traceparent: _, recordUnchanged: __, hint: ___, sort: ____, ...others } = options;
  return others;
}

/**
 * Resolves the target of an update: the documents that were read, if they still match. The filter
 * stays, because `$` in an update takes its position from it. With `upsert` and no such documents,
 * the target is a new document. Other documents that match by now are excluded, because they were
 * not read before.
 */
function resolveTarget<
  Schema extends Document,
  Options extends Tracked<{ hint?: unknown; sort?: unknown; upsert?: boolean }>,
>(before: readonly StoredDocument[], filter: Filter<Schema>, options: Options) {
  const inserts = before.length === 0 && options.upsert === true;
  if (inserts) {
    const { sort: _, ...given } = driverOptions(options);
    return { target: filter, given, inserts };
  }
  const target = { $and: [withIds(idsOf(before)), filter] } as Filter<Schema>;
  return { target, given: { ...targetedOptions(options), upsert: false }, inserts };
}

function withIds<Schema extends Document>(ids: readonly unknown[]): Filter<Schema> {
  return { _id: { $in: ids } } as Filter<Schema>;
}

function idsOf(documents: readonly StoredDocument[]): readonly unknown[] {
  return documents.map(({ document }) => idOf(document));
}

function idOf(document: Document): unknown {
  return document._id;
}

function untracked(what: string, instead: string): Fault {
  return new Fault(
    'untracked',
    `${what} is not possible on a tracked collection, because it would write without recording events: ${instead}.`,
  );
}
