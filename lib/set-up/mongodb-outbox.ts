/**
 * The set-up of the outbox: the collection with its validator and indexes, and the collections beside it. Safe to run
 * again; it brings an older set-up to what this version needs.
 */

import {
  type Collection,
  type Db,
  type Document,
  type IndexDescription,
  type IndexDescriptionInfo,
  MongoServerError,
} from 'mongodb';
import { Fault } from '../contract/fault.ts';
import { outboxCollection } from '../contract/outbox-event.ts';
import {
  authorizedNames,
  checkpointCollection,
  conflictCollection,
  discardedCollection,
  purgeIndex,
  trialCollection,
  unknownStatus,
  unknownStatusIndex,
} from '../outbox/collections.ts';
import { outboxOf } from '../outbox/mongodb-collection.ts';
import { translateMongodbError, withMongodbFaults } from '../outbox/mongodb-errors.ts';
import { ensureOutboxId } from './mongodb-identity.ts';
import { outboxValidator } from './mongodb-validator.ts';
import type { SetUpStep } from './set-up-step.ts';

/** The TTL index on what the consumer remembers of single events. */
export const forgetIndex = 'outgraph_forget';

/** What was discarded last is listed first. */
export const discardedIndex = 'outgraph_discarded';

/** Every index of the outbox but that of the purge, each with the queries that use it. */
export const indexes: readonly IndexDescription[] = [
  // The publisher's backlog and the sweep: pending events in the order of their positions. Small, because only pending
  // events are in it. With `nextAttemptAt` the sweep passes over those in back-off without reading them, and writers
  // are spared an index of its own for that.
  {
    name: 'outgraph_pending',
    key: { status: 1, position: 1, nextAttemptAt: 1 },
    partialFilterExpression: { status: 'pending' },
  },
  // The consumer's look at a conflicting aggregate, and the purge of tombstones: what is not settled, by aggregate.
  {
    name: 'outgraph_unsettled',
    key: { aggregateType: 1, aggregateId: 1, position: 1 },
    partialFilterExpression: { status: { $in: ['pending', 'dead'] } },
  },
  // Dead events: counted and listed. `status` is in the key so that they can be counted without being read.
  { name: 'outgraph_dead', key: { status: 1, deadAt: 1 }, partialFilterExpression: { status: 'dead' } },
  // The sweep: what was written past the validator with a status of its own. No other index knows it, so that it would
  // stay for ever.
  { name: unknownStatusIndex, key: { status: 1 }, partialFilterExpression: unknownStatus },
];

/**
 * What the consumer remembers of single events is forgotten a day after it was true the last time: their messages come
 * again within minutes.
 */
export const forgetSeconds = 86_400;
export const forgotten = [
  { collection: trialCollection, field: 'endsBefore' },
  { collection: conflictCollection, field: 'lastAt' },
] as const;

export interface OutboxOptions {
  /** How long processed events are kept before the TTL index purges them. */
  readonly processedRetentionSeconds: number;
}

/**
 * Applies the set-up to a database, and tells what became of each of its parts.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function setUpOutbox(db: Db, options: OutboxOptions): Promise<readonly SetUpStep[]> {
  return withMongodbFaults(async () => [
    ...(await setUpCollections(db)),
    ...(await setUpIndexes(db)),
    step('id of the outbox', await ensureOutboxId(db)),
    await setUpPurge(db, options.processedRetentionSeconds),
  ]);
}

async function setUpCollections(db: Db): Promise<readonly SetUpStep[]> {
  // Moderate: an event that got past the validator is still marked dead, settled and redriven like any other. Every
  // insert is checked all the same.
  const validation = { validator: outboxValidator(), validationLevel: 'moderate', validationAction: 'error' } as const;
  const existing = new Set(
    (await db.listCollections({}, authorizedNames).toArray()).map((collection) => collection.name),
  );
  if (existing.has(outboxCollection)) await db.command({ collMod: outboxCollection, ...validation });
  else await db.createCollection(outboxCollection, validation);
  const others = [checkpointCollection, trialCollection, conflictCollection, discardedCollection];
  for (const name of others) if (!existing.has(name)) await db.createCollection(name);
  return [
    ...[outboxCollection, ...others].map((name) => step(`collection ${name}`, existing.has(name) ? 'kept' : 'made')),
    // Whether it was another one before, only a user may read who may list the collections with all that is said of
    // them; the set-up's may not.
    step(`validator of ${outboxCollection}`, existing.has(outboxCollection) ? 'applied' : 'made'),
  ];
}

async function setUpIndexes(db: Db): Promise<readonly SetUpStep[]> {
  const steps: SetUpStep[] = [];
  for (const { collection, field } of forgotten) {
    const index = { name: forgetIndex, expireAfterSeconds: forgetSeconds };
    await db.collection(collection).createIndex({ [field]: 1 }, index);
    steps.push(step(`index ${forgetIndex} of ${collection}`, 'applied'));
  }
  await db.collection(discardedCollection).createIndex({ discardedAt: -1 }, { name: discardedIndex });
  steps.push(step(`index ${discardedIndex} of ${discardedCollection}`, 'applied'));
  const outbox = outboxOf(db);
  const known = await outbox.indexes();
  const changed = await dropChangedIndexes(outbox, known);
  await outbox.createIndexes([...indexes]);
  for (const { name = '' } of indexes) {
    const before = known.some((index) => index.name === name) ? 'kept' : 'made';
    steps.push(step(`index ${name} of ${outboxCollection}`, changed.has(name) ? 'changed' : before));
  }
  return steps;
}

/** An index that an older set-up made with another key is made anew. */
async function dropChangedIndexes(
  outbox: Collection<Document>,
  present: readonly IndexDescriptionInfo[],
): Promise<ReadonlySet<string>> {
  const dropped = new Set<string>();
  for (const known of present) {
    const wanted = indexes.find((index) => index.name === known.name);
    if (wanted?.name === undefined || JSON.stringify(wanted.key) === JSON.stringify(known.key)) continue;
    await outbox.dropIndex(wanted.name);
    dropped.add(wanted.name);
  }
  return dropped;
}

/** A TTL index keeps its first retention; a new one is set by `collMod`. */
async function setUpPurge(db: Db, expireAfterSeconds: number): Promise<SetUpStep> {
  const outbox = outboxOf(db);
  const known = (await outbox.indexes()).find((index) => index.name === purgeIndex);
  const what = `index ${purgeIndex} of ${outboxCollection}`;
  if (known === undefined) {
    await outbox.createIndex({ processedAt: 1 }, { name: purgeIndex, expireAfterSeconds });
    return step(what, 'made');
  }
  if (known.expireAfterSeconds === expireAfterSeconds) return step(what, 'kept');
  await db.command({ collMod: outboxCollection, index: { name: purgeIndex, expireAfterSeconds } });
  return step(what, 'changed');
}

function step(what: string, outcome: SetUpStep['outcome']): SetUpStep {
  return { what, outcome };
}

/**
 * Cheap check for a cold start.
 *
 * @throws Fault `set-up-missing` that names what is missing and the command to run.
 */
export async function checkOutbox(db: Db): Promise<void> {
  await checkCollection(db, outboxCollection, [...indexes.map((index) => index.name ?? ''), purgeIndex]);
}

/**
 * Whether events can be discarded. Before each of these commands, and not at a cold start: what goes on by itself does
 * not need it.
 *
 * @throws Fault `set-up-missing` that names what is missing and the command to run.
 */
export async function checkDiscarded(db: Db): Promise<void> {
  await checkCollection(db, discardedCollection, [discardedIndex]);
}

async function checkCollection(db: Db, collection: string, wanted: readonly string[]): Promise<void> {
  const names = (await readIndexes(db.collection(collection)))?.map((index) => index.name);
  if (names === undefined) {
    throw new Fault(
      'set-up-missing',
      `The database ${db.databaseName} has no collection ${collection}. Set MONGODB_DATABASE to the database that your writers write to, or apply the set-up to this one (npx outgraph set-up).`,
    );
  }
  const missing = wanted.filter((name) => !names.includes(name)).map((name) => `the index ${name}`);
  if (missing.length === 0) return;
  throw new Fault(
    'set-up-missing',
    `The database ${db.databaseName} lacks ${missing.join(', ')}; apply the set-up first (npx outgraph set-up).`,
  );
}

/** NamespaceNotFound. */
const noCollectionCode = 26;

/**
 * The indexes of a collection; undefined if there is no such collection.
 *
 * @throws Fault `mongodb-unavailable`, `permission-denied`.
 */
export async function readIndexes(
  collection: Collection<Document>,
): Promise<readonly IndexDescriptionInfo[] | undefined> {
  try {
    return await collection.indexes();
  } catch (error) {
    if (error instanceof MongoServerError && error.code === noCollectionCode) return undefined;
    throw translateMongodbError(error);
  }
}
