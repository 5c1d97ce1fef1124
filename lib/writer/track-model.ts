/**
 * A plugin for Mongoose that tracks a model. Mongoose's own collection holds the driver's one in its
 * property `collection`, and each method of a model, query or document ends there. The plugin puts
 * a tracked collection in its place, so that no method is overlooked. It does not import Mongoose,
 * so that it works with the copy of the service.
 */
import { type Collection, type Db, type Document, MongoBulkWriteError, MongoClient, MongoServerError } from 'mongodb';
import type { AggregateDefinition } from '../projection/define-aggregate.ts';
import { TrackedCollection } from './tracked-collection.ts';
import { refuseWriting, untracked } from './tracked-options.ts';

/**
 * The part of a Mongoose schema that the plugin uses.
 *
 * @example
 * const personSchema: ModelSchema = new mongoose.Schema({ name: String });
 */
export interface ModelSchema {
  // biome-ignore lint/suspicious/noExplicitAny: only this fits the overloads of every version of Mongoose.
  pre(method: 'aggregate', hook: (this: any) => void): unknown;
  on(event: 'init', listener: (model: object) => void): unknown;
}

interface Model {
  readonly modelName: string;
  readonly base: { readonly version: string; readonly mongo: { readonly MongoClient: unknown } };
  readonly db: Connection;
  readonly collection: ModelCollection;
  useConnection?: (connection: Connection) => unknown;
}

interface Connection {
  readonly db?: Db;
  readonly getClient: () => MongoClient;
  readonly model: (name: string) => Model;
  bulkWrite?: (operations: readonly { readonly model: string | Model }[], ...rest: readonly unknown[]) => unknown;
}

interface ModelCollection {
  readonly name: string;
  readonly conn: Connection;
  /** The driver's collection, as soon as there is a connection. */
  collection: Collection | null;
}

/**
 * Creates a plugin for the schema of a Mongoose model. Its documents are the aggregates of
 * `definition`: each write of the model records its events in the transaction of the write, as
 * `trackCollection` does.
 *
 * A write that cannot be tracked throws a Fault `untracked`. A model whose collection is not the
 * definition's throws a TypeError when it is created.
 *
 * @example
 * const personSchema = new mongoose.Schema({ name: String });
 * personSchema.plugin(trackModel(person));
 * const Person = mongoose.model('Person', personSchema);
 * await new Person({ name: 'Ada' }).save();
 */
export function trackModel<State>(definition: AggregateDefinition<State>): (schema: ModelSchema) => void {
  return (schema) => {
    // Before the cursor is created: an error there would end the process (seen in 8.24).
    schema.pre('aggregate', function (this: { pipeline: () => readonly Document[] }) {
      refuseWriting(this.pipeline());
    });
    // Also for each further connection, and for each discriminator.
    schema.on('init', (model) => {
      requireSameDriver(model as Model);
      track(model as Model, definition);
    });
  };
}

/** The definitions of the collections that are tracked already. */
const definitions = new WeakMap<ModelCollection, { readonly type: string }>();

function track<State>(model: Model, definition: AggregateDefinition<State>): void {
  const { collection, modelName } = model;
  const known = definitions.get(collection);
  if (known === definition) return;
  if (known !== undefined)
    throw new TypeError(`The collection ${collection.name} is already tracked as "${known.type}".`);
  if (collection.name !== definition.collection) {
    throw new TypeError(
      `The model ${modelName} writes the collection ${collection.name}, and the aggregate "${definition.type}" is in ` +
        `${definition.collection}: give both the same one.`,
    );
  }
  definitions.set(collection, definition);
  trackDriverCollection(collection, definition);
  refuseBulkWrite(model);
  const { useConnection } = model;
  if (useConnection === undefined) return;
  model.useConnection = (connection) => {
    const result = useConnection.call(model, connection);
    track(model, definition);
    return result;
  };
}

/** Mongoose sets the property again when it connects again. */
function trackDriverCollection<State>(own: ModelCollection, definition: AggregateDefinition<State>): void {
  if (!Object.hasOwn(own, 'collection'))
    throw new TypeError('This version of Mongoose keeps its collections in another way: outgraph cannot track it.');
  const tracked = (driver: Collection | null) => {
    const { db } = own.conn;
    if (driver === null || db === undefined) return null;
    return trackedView(driver, new ModelWrites(own.conn.getClient(), db, definition));
  };
  let collection = tracked(own.collection);
  Object.defineProperty(own, 'collection', {
    get: () => collection,
    set: (driver) => {
      collection = tracked(driver);
    },
  });
}

/** The driver's methods that write no document. */
const harmless = new Set<string | symbol>([
  ...['constructor', 'count', 'distinct', 'estimatedDocumentCount', 'isCapped', 'options', 'watch'],
  ...['createIndex', 'createIndexes', 'dropIndex', 'dropIndexes'],
  ...['indexExists', 'indexInformation', 'indexes', 'listIndexes'],
  ...['createSearchIndex', 'createSearchIndexes', 'dropSearchIndex', 'listSearchIndexes', 'updateSearchIndex'],
]);

/** A driver's collection that writes through a tracked one. */
function trackedView<State>(driver: Collection, writes: ModelWrites<State>): Collection {
  return new Proxy(driver, {
    get(target, name) {
      const own = name === 'constructor' ? undefined : Reflect.get(writes, name);
      if (typeof own === 'function') return own.bind(writes);
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      if (harmless.has(name)) return member.bind(target);
      return () => {
        throw untracked(String(name), 'use the methods of the model');
      };
    },
  });
}

/** The writes of a model. */
class ModelWrites<State> extends TrackedCollection<State> {
  override async insertMany(
    ...[documents, options = {}]: Parameters<TrackedCollection<State>['insertMany']>
  ): ReturnType<TrackedCollection<State>['insertMany']> {
    if (options.ordered === false)
      throw untracked('insertMany with ordered: false', 'leave it out: either all documents are inserted or none');
    return withoutPartialResult(() => super.insertMany(documents, options));
  }

  override async bulkWrite(
    ...given: Parameters<TrackedCollection<State>['bulkWrite']>
  ): ReturnType<TrackedCollection<State>['bulkWrite']> {
    return withoutPartialResult(() => super.bulkWrite(...given));
  }
}

/**
 * Mongoose marks the documents before the failed one as saved. The aborted transaction saved none,
 * so the error must not look like that of a partial write.
 */
async function withoutPartialResult<Result>(write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (cause) {
    if (!(cause instanceof MongoBulkWriteError)) throw cause;
    const { message, code, errorLabels } = cause;
    throw Object.assign(new MongoServerError({ message, code, errorLabels }), { cause });
  }
}

/** `bulkWrite` of a connection writes through the client, so it never meets the collections. */
function refuseBulkWrite({ db: connection, collection }: Model): void {
  const { bulkWrite } = connection;
  if (bulkWrite === undefined) return;
  connection.bulkWrite = async (operations, ...rest) => {
    for (const { model } of operations) {
      const named = typeof model === 'string' ? connection.model(model) : model;
      if (named.collection === collection)
        throw untracked('bulkWrite of the connection', `use bulkWrite of the model ${named.modelName}`);
    }
    return bulkWrite.call(connection, operations, ...rest);
  };
}

/** The driver's errors and BSON values are recognised only by the copy that they come from. */
function requireSameDriver({ base: { mongo, version } }: Model): void {
  if (mongo.MongoClient === MongoClient) return;
  throw new TypeError(
    'Mongoose and outgraph use two copies of the MongoDB driver. Install the one that Mongoose needs ' +
      `(npm install mongodb@"$(npm view mongoose@${version} dependencies.mongodb)"), then "npm ls mongodb" shows one.`,
  );
}
