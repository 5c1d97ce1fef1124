/** Reads the documents of a tracked write before and after it, and records the events. */
import {
  type BSONSerializeOptions,
  type ClientSession,
  type Collection,
  type Db,
  type DeleteResult,
  type Document,
  type Filter,
  type FindOptions,
  type MongoClient,
  ObjectId,
  type Sort,
} from 'mongodb';
import { Fault } from '../contract/fault.ts';
import type { AggregateDefinition } from '../projection/define-aggregate.ts';
import { documentChanges } from './document-changes.ts';
import { inTransaction } from './in-transaction.ts';
import { type AggregateChange, createEvents, insertEvents, type RecordOptions } from './record-event.ts';
import { readAfter, readBefore, type StoredDocument } from './stored-document.ts';
import { idsOf, refuseCollation, type Selection, selection, withIds } from './tracked-options.ts';
import { declaredFields, isUnreadUpdate } from './unread-update.ts';

/**
 * Number of documents that are read, written and read again at a time. It bounds the memory of
 * `updateMany` and `deleteMany`.
 */
export const chunkDocuments = 500;

/** By default, a server's first answer has 101 documents only. It has never more than 16 MB. */
const batchSize = 100_000;

/** Options of a tracked write that decide in which transaction it runs. */
export interface TransactionOptions {
  readonly session?: ClientSession;
  readonly collation?: unknown;
}

/** The documents of one tracked collection. */
export class TrackedDocuments<Schema extends Document> {
  readonly db: Db;
  readonly collection: Collection<Schema>;
  readonly #client: MongoClient;
  readonly #definition: AggregateDefinition;
  readonly #fields: ReadonlySet<string> | null;
  /** The ids of the events that a running call has recorded, by its session. */
  readonly #recording = new WeakMap<ClientSession, ObjectId[]>();
  /** The same by the call's result. */
  readonly #recorded = new WeakMap<object, readonly ObjectId[]>();

  constructor(client: MongoClient, db: Db, definition: AggregateDefinition) {
    this.db = db;
    this.collection = db.collection<Schema>(definition.collection);
    this.#client = client;
    this.#definition = definition;
    this.#fields = declaredFields(definition);
  }

  get name(): string {
    return this.#definition.collection;
  }

  /** Runs a write in the caller's transaction or in a new one. */
  async track<Result>(options: TransactionOptions, work: (session: ClientSession) => Promise<Result>): Promise<Result> {
    refuseCollation(options);
    let eventIds: ObjectId[] = [];
    const result = await inTransaction(this.#client, options.session, (session) => {
      eventIds = [];
      this.#recording.set(session, eventIds);
      return work(session);
    });
    this.remember(result, eventIds);
    return result;
  }

  /**
   * Runs a write of one document that no event follows. The driver retries it, so it needs a
   * transaction only if the caller has one.
   */
  async trackUnread<Result>(
    options: TransactionOptions,
    work: (options: { session?: ClientSession; writeConcern?: { w: 'majority' } }) => Promise<Result>,
  ): Promise<Result> {
    if (options.session?.inTransaction()) return this.track(options, (session) => work({ session }));
    refuseCollation(options);
    const { session } = options;
    const result = await work({ writeConcern: { w: 'majority' }, ...(session === undefined ? {} : { session }) });
    this.remember(result, []);
    return result;
  }

  /** Whether an update changes nothing that the payload or the aggregate id is read from. */
  isUnread(update: unknown, { upsert, recordUnchanged }: RecordOptions & { readonly upsert?: boolean }): boolean {
    return upsert !== true && recordUnchanged !== true && isUnreadUpdate(this.#fields, update);
  }

  /** Keeps the events of a call's result. */
  remember(result: unknown, eventIds: readonly ObjectId[]): void {
    if (typeof result === 'object' && result !== null) this.#recorded.set(result, eventIds);
  }

  /** The ids of the events that the call with this result has recorded. */
  eventIdsOf(result: object): readonly ObjectId[] | undefined {
    return this.#recorded.get(result);
  }

  /**
   * Creates the events of changes, and checks them.
   *
   * @returns a function that inserts the events, after their documents.
   */
  async prepare(
    changes: readonly AggregateChange[],
    options: RecordOptions,
  ): Promise<(session: ClientSession) => Promise<void>> {
    const events = await createEvents(this.#definition, changes, options);
    return async (session) => {
      this.#recording.get(session)?.push(...(await insertEvents(session, this.db, events)));
    };
  }

  /** Reads the documents again and records an event for each one that changed. */
  async recordFrom(
    session: ClientSession,
    before: readonly StoredDocument[],
    ids: readonly unknown[],
    options: RecordOptions,
  ): Promise<readonly StoredDocument[]> {
    const after = await this.readAll(session, ids, readAfter);
    await this.record(session, this.changes(before, after, options), options);
    return after;
  }

  async recordDeleted(
    session: ClientSession,
    before: readonly StoredDocument[],
    { deletedCount }: Pick<DeleteResult, 'deletedCount'>,
    options: RecordOptions,
  ): Promise<void> {
    if (deletedCount !== before.length) throw this.unreadable(deletedCount, before.length);
    await this.record(session, this.changes(before, [], options), options);
  }

  changes(
    before: readonly StoredDocument[],
    after: readonly StoredDocument[],
    options: RecordOptions,
  ): readonly AggregateChange[] {
    return documentChanges(this.#definition, before, after, options);
  }

  inserted(document: Document): AggregateChange {
    return { operation: 'upsert', aggregateId: this.#definition.id(document), payload: document };
  }

  async record(session: ClientSession, changes: readonly AggregateChange[], options: RecordOptions): Promise<void> {
    const insert = await this.prepare(changes, options);
    await insert(session);
  }

  /**
   * Reads the document that a single-document write will change, to compare it afterwards. Empty if
   * nothing matches.
   */
  async readFirst(
    session: ClientSession,
    filter: Filter<Schema>,
    options: Selection & { sort?: Sort },
  ): Promise<readonly StoredDocument[]> {
    const sort = options.sort === undefined ? {} : { sort: options.sort };
    return this.read(session, filter, { ...selection(options), ...sort, limit: 1 });
  }

  async readIds(
    session: ClientSession,
    filter: Filter<Schema>,
    options: Selection,
    limit: number,
  ): Promise<readonly unknown[]> {
    return idsOf(await this.read(session, filter, { ...selection(options), projection: { _id: 1 }, limit }));
  }

  /**
   * @throws Fault `untracked` unless every document is found, because an event would be missing.
   */
  async readAll(
    session: ClientSession,
    ids: readonly unknown[],
    decode = readBefore,
  ): Promise<readonly StoredDocument[]> {
    if (ids.length === 0) return [];
    const found = await this.read(session, withIds(ids), {}, decode);
    if (found.length !== ids.length) throw this.unreadable(ids.length, found.length);
    return found;
  }

  /** Reads raw bytes, so that the client's own options do not apply. */
  async read(
    session: ClientSession,
    filter: Filter<Schema>,
    options: FindOptions = {},
    decode = readBefore,
  ): Promise<readonly StoredDocument[]> {
    if (typeof filter !== 'object' || filter === null)
      throw new TypeError('The filter must be an object. {} matches every document.');
    const raw = { raw: true, readPreference: 'primary', session, batchSize } as const;
    const cursor = this.collection.find(filter, { ...options, ...raw });
    return ((await cursor.toArray()) as unknown as Uint8Array[]).map(decode);
  }

  bsonOptions(options: BSONSerializeOptions): BSONSerializeOptions {
    return { ...this.collection.bsonOptions, ...options };
  }

  createId(): unknown {
    return this.db.options?.pkFactory?.createPk() ?? new ObjectId();
  }

  unreadable(written: number, read: number): Fault {
    return new Fault(
      'untracked',
      `${this.name}: a write affected ${written} documents, and ${read} of them could be ` +
        'read back by their _id, so their events cannot be recorded. Nothing was committed. Filter by values ' +
        'that do not change meanwhile (no $$NOW), and use an _id that MongoDB returns as it is stored: no date ' +
        'out of range, no object with numbers as field names.',
    );
  }
}
