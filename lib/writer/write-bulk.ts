/**
 * Bulk writes. Operations that name their document by `_id` are sent together. Any other is resolved
 * to the documents that it matches at its turn, after those before it. Each document is read once
 * before the bulk write changes it and once at the end, and has one event: its last state.
 */
import {
  type AnyBulkWriteOperation,
  type BulkWriteOptions,
  type BulkWriteResult,
  type ClientSession,
  type Document,
  type Filter,
  MongoBulkWriteError,
  type Sort,
} from 'mongodb';
import { bsonTypeOf } from '../contract/bson-type.ts';
import { inChunks } from '../runtime/in-chunks.ts';
import type { AggregateChange, RecordOptions } from './record-event.ts';
import { asRead, idKey, readAfter, type StoredDocument } from './stored-document.ts';
import type { TrackedDocuments } from './tracked-documents.ts';
import {
  driverOptions,
  plainResults,
  refuseCollation,
  resolveTarget,
  type Selection,
  selection,
  type Tracked,
  untracked,
} from './tracked-options.ts';
import { maxDocuments, tooMany } from './write-many.ts';

const kinds = ['insertOne', 'updateOne', 'updateMany', 'replaceOne', 'deleteOne', 'deleteMany'] as const;

/** An operation with the fields of all kinds. */
interface Operation {
  readonly kind: (typeof kinds)[number];
  readonly document: Document;
  readonly filter: Filter<Document>;
  readonly update: unknown;
  readonly upsert?: boolean;
  readonly sort?: Sort;
  readonly hint?: string | Document;
  readonly collation?: unknown;
}

export function bulkWrite<Schema extends Document>(
  documents: TrackedDocuments<Schema>,
  given: readonly AnyBulkWriteOperation<Schema>[],
  options: Tracked<BulkWriteOptions>,
): Promise<BulkWriteResult> {
  if (options.ordered === false)
    throw untracked(
      'bulkWrite with ordered: false',
      'its operations and their events are one transaction, which the first error aborts, so none can go on after ' +
        'an error. Leave ordered out, or write what may fail on its own with calls of its own',
    );
  const operations = readOperations(given);
  return documents.track(options, (session) => new BulkWrite(documents, session, options).run(operations));
}

/** @throws TypeError that names the operation which the driver would not accept. */
function readOperations(given: unknown): readonly Operation[] {
  if (!Array.isArray(given) || given.length === 0)
    throw new TypeError('bulkWrite needs a list of at least one operation.');
  return given.map((operation: unknown, index) => {
    const [[name, fields] = [], ...others] = Object.entries(operation ?? {}) as [string, Operation][];
    const known = kinds.find((kind) => kind === name);
    if (known === undefined || others.length > 0)
      throw new TypeError(`bulkWrite: operation ${index} must have exactly one field, one of ${kinds.join(', ')}.`);
    const needed = known === 'insertOne' ? 'document' : 'filter';
    if (typeof fields?.[needed] !== 'object' || fields[needed] === null)
      throw new TypeError(`bulkWrite: operation ${index}, ${known}, needs an object as its ${needed}.`);
    refuseCollation(fields);
    return { ...fields, kind: known };
  });
}

class BulkWrite<Schema extends Document> {
  readonly #documents: TrackedDocuments<Schema>;
  readonly #session: ClientSession;
  readonly #options: Tracked<BulkWriteOptions>;
  /** The documents as they were before the bulk write changed them. */
  readonly #before = new Map<string, StoredDocument>();
  /** Every id of a document that may have changed. */
  readonly #ids = new Map<string, unknown>();
  /** Operations that are not sent yet. */
  #pending: Document[] = [];
  #result: BulkWriteResult | undefined;
  #sent = 0;

  constructor(documents: TrackedDocuments<Schema>, session: ClientSession, options: Tracked<BulkWriteOptions>) {
    this.#documents = documents;
    this.#session = session;
    this.#options = options;
  }

  async run(operations: readonly Operation[]): Promise<BulkWriteResult> {
    await this.#readNamed(operations);
    for (const operation of operations) await this.#add(operation);
    await this.#send();
    const result = this.#result as BulkWriteResult;
    await this.#record(result);
    return result;
  }

  /** Reads the documents that operations name by `_id`, before anything is written. */
  async #readNamed(operations: readonly Operation[]): Promise<void> {
    for (const operation of operations)
      if (operation.kind !== 'insertOne' && !this.#isUnread(operation) && isNamed(operation.filter))
        this.#ids.set(idKey(operation.filter._id), operation.filter._id);
    for (const stored of await this.#readIds()) this.#before.set(idKey(stored.document._id), stored);
  }

  async #readIds(decode?: typeof readAfter): Promise<readonly StoredDocument[]> {
    const found: StoredDocument[] = [];
    for (const ids of inChunks([...this.#ids.values()], idsAtOnce))
      found.push(...(await this.#documents.read(this.#session, { _id: { $in: ids } } as Filter<Schema>, {}, decode)));
    return found;
  }

  async #add(operation: Operation): Promise<void> {
    const { kind, ...model } = operation;
    const { filter, document } = model;
    if (kind === 'insertOne') {
      document._id ??= this.#documents.createId();
      this.#ids.set(idKey(document._id), document._id);
      this.#pending.push({ insertOne: { document } });
    } else if (this.#isUnread(operation)) this.#pending.push({ [kind]: model });
    else if (isNamed(filter)) {
      // A server before 8.0 refuses an order, and one document needs none.
      const { sort: _, ...named } = model;
      this.#pending.push({ [kind]: named });
    } else {
      await this.#send();
      const { target, given } = resolveTarget(await this.#resolve(operation), filter, model);
      this.#pending.push({ [kind]: { ...given, filter: target } });
    }
    if (this.#ids.size > maxDocuments)
      throw tooMany(this.#documents.name, `a bulk write changes more than ${maxDocuments} documents`);
  }

  /** Whether the operation changes only fields that the payload does not declare. */
  #isUnread({ kind, update, upsert = false, sort }: Operation): boolean {
    const isUpdate = kind === 'updateMany' || (kind === 'updateOne' && sort === undefined);
    return isUpdate && this.#documents.isUnread(update, { ...this.#options, upsert });
  }

  /** Reads what an operation matches now, and keeps each document that is not written yet. */
  async #resolve({ kind, filter, sort, hint }: Operation): Promise<readonly StoredDocument[]> {
    const isMany = kind === 'updateMany' || kind === 'deleteMany';
    const found = await this.#documents.read(this.#session, filter as Filter<Schema>, {
      ...selection({ ...this.#options, ...(hint === undefined ? {} : { hint }) } as Selection),
      ...(sort === undefined ? {} : { sort }),
      limit: isMany ? maxDocuments + 1 : 1,
    });
    for (const stored of found) {
      const { _id } = stored.document;
      if (this.#ids.has(idKey(_id))) continue;
      this.#ids.set(idKey(_id), _id);
      this.#before.set(idKey(_id), stored);
    }
    return found;
  }

  async #send(): Promise<void> {
    if (this.#pending.length === 0) return;
    const operations = this.#pending;
    this.#pending = [];
    try {
      const result = await this.#documents.collection.bulkWrite(operations as AnyBulkWriteOperation<Schema>[], {
        ...driverOptions(this.#options),
        ...plainResults,
        forceServerObjectId: false,
        session: this.#session,
      });
      for (const _id of Object.values(result.upsertedIds)) this.#ids.set(idKey(_id), _id);
      const read = this.#documents.bsonOptions(this.#options);
      this.#result = joined(this.#result, result, this.#sent, (id) => asRead(id, read));
      this.#sent += operations.length;
    } catch (error) {
      throw withIndexesFrom(this.#sent, error);
    }
  }

  async #record(result: BulkWriteResult): Promise<void> {
    const before = [...this.#before.values()];
    const after = await this.#readIds(readAfter);
    const expected = before.length + result.insertedCount + result.upsertedCount - result.deletedCount;
    if (after.length !== expected) throw this.#documents.unreadable(expected, after.length);
    const changes = this.#documents.changes(before, after, this.#options);
    await this.#documents.record(this.#session, withoutReplaced(changes), this.#options as RecordOptions);
  }
}

/** Number of ids in one query. */
const idsAtOnce = 5_000;

/** Whether the filter matches at most one document, whose `_id` it contains. */
function isNamed({ _id }: Filter<Document>): boolean {
  return namingTypes.has(bsonTypeOf(_id) ?? typeof _id);
}

/** Types of values that a filter compares for equality, and nothing else. */
const namingTypes = new Set(['string', 'number', 'bigint', 'ObjectId', 'Binary', 'Int32', 'Long', 'Double']);

/**
 * A deletion is left out if another document took the aggregate id: the events of one aggregate must
 * end with its last state.
 */
function withoutReplaced(changes: readonly AggregateChange[]): readonly AggregateChange[] {
  const live = new Set(changes.flatMap(({ operation, aggregateId }) => (operation === 'upsert' ? [aggregateId] : [])));
  return changes.filter(({ operation, aggregateId }) => operation === 'upsert' || !live.has(aggregateId));
}

/** The part of the driver's `BulkResult` that its results are made of. */
interface RawResult {
  readonly nInserted: number;
  readonly nMatched: number;
  readonly nModified: number;
  readonly nRemoved: number;
  readonly nUpserted: number;
  readonly upserted: readonly WithIndex[];
  readonly insertedIds: readonly WithIndex[];
}

interface WithIndex {
  readonly index: number;
  readonly _id: unknown;
}

/** Joins the driver's results into one. The operations of `next` begin at `start`. */
function joined(
  previous: BulkWriteResult | undefined,
  next: BulkWriteResult,
  start: number,
  read: (id: unknown) => unknown,
): BulkWriteResult {
  const [left, right] = [previous?.getRawResponse() as RawResult | undefined, next.getRawResponse() as RawResult];
  const at = ({ index, _id }: WithIndex) => ({ index: index + start, _id });
  const raw: RawResult = {
    ...right,
    nInserted: (left?.nInserted ?? 0) + right.nInserted,
    nMatched: (left?.nMatched ?? 0) + right.nMatched,
    nModified: (left?.nModified ?? 0) + right.nModified,
    nRemoved: (left?.nRemoved ?? 0) + right.nRemoved,
    nUpserted: (left?.nUpserted ?? 0) + right.nUpserted,
    upserted: [
      ...(left?.upserted ?? []),
      ...right.upserted.map(at).map(({ index, _id }) => ({ index, _id: read(_id) })),
    ],
    insertedIds: [...(left?.insertedIds ?? []), ...right.insertedIds.map(at)],
  };
  // The driver exports the class as a type only.
  const Result = next.constructor as new (raw: RawResult, isOrdered: boolean) => BulkWriteResult;
  return new Result(raw, true);
}

/** Counts the operations of an error from the start of the whole bulk write. */
function withIndexesFrom(start: number, error: unknown): unknown {
  if (error instanceof MongoBulkWriteError) for (const { err } of [error.writeErrors].flat()) err.index += start;
  return error;
}
