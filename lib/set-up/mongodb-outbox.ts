/**
 * Sets up the outbox: the collection with its validator and indexes, and its companion collections.
 * Idempotent; it also upgrades an older set-up.
 */

import {
  type Collection,
  type CreateCollectionOptions,
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

/** TTL index of the consumer's records about single events. */
export const forgetIndex = 'outgraph_forget';

/** Index that lists the latest discarded events first. */
export const discardedIndex = 'outgraph_discarded';

/** Every index of the outbox except the purge's, each with the queries that use it. */
export const indexes: readonly IndexDescription[] = [
  // Publisher's backlog and sweep: pending events sorted by position. Small, because it has only
  // pending events. With `nextAttemptAt`, the sweep skips events in back-off without reading them,
  // and writes do not pay for a separate index.
  {
    name: 'outgraph_pending',
    key: { status: 1, position: 1, nextAttemptAt: 1 },
    partialFilterExpression: { status: 'pending' },
  },
  // The consumer's query for a conflicting aggregate, and the purge of tombstones: unsettled events
  // by aggregate.
  {
    name: 'outgraph_unsettled',
    key: { aggregateType: 1, aggregateId: 1, position: 1 },
    partialFilterExpression: { status: { $in: ['pending', 'dead'] } },
  },
  // Dead events, to count and list. `status` is in the key so that they can be counted without
  // being read.
  { name: 'outgraph_dead', key: { status: 1, deadAt: 1 }, partialFilterExpression: { status: 'dead' } },
  // The sweep: events with an unknown status that bypassed the validator. No other index has them,
  // so they would stay forever.
  { name: unknownStatusIndex, key: { status: 1 }, partialFilterExpression: unknownStatus },
];

/**
 * The consumer's records about an event are deleted a day after their last change: messages are
 * redelivered in minutes.
 */
export const forgetSeconds = 86_400;
export const forgetFields = [
  { collection: trialCollection, field: 'endsBefore' },
  { collection: conflictCollection, field: 'lastAt' },
] as const;

export interface OutboxOptions {
  /** How long processed events are kept before the TTL index purges them. */
  readonly processedRetentionSeconds: number;
  /** The source of a new outbox; by default none. */
  readonly source?: string;
}

/**
 * Applies the set-up to a database, and returns the outcome of each of its parts.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function setUpOutbox(db: Db, options: OutboxOptions): Promise<readonly SetUpStep[]> {
  return withMongodbFaults(async () => [
    ...(await setUpCollections(db)),
    ...(await setUpIndexes(db)),
    step('id of the outbox', await ensureOutboxId(db, options.source ?? '')),
    await setUpPurge(db, options.processedRetentionSeconds),
  ]);
}

async function setUpCollections(db: Db): Promise<readonly SetUpStep[]> {
  // Moderate: an event that bypassed the validator can still be marked dead, settled and redriven.
  // Every insert is still checked.
  const validation = { validator: outboxValidator(), validationLevel: 'moderate', validationAction: 'error' } as const;
  const existing = new Set(
    (await db.listCollections({}, authorizedNames).toArray()).map((collection) => collection.name),
  );
  if (existing.has(outboxCollection)) await db.command({ collMod: outboxCollection, ...validation });
  else await createUnlessMade(db, outboxCollection, validation);
  const others = [checkpointCollection, trialCollection, conflictCollection, discardedCollection];
  for (const name of others) if (!existing.has(name)) await createUnlessMade(db, name);
  return [
    ...[outboxCollection, ...others].map((name) => step(`collection ${name}`, existing.has(name) ? 'kept' : 'made')),
    // Only a user who may list the collections with all their options can read the previous
    // validator; the set-up's user may not.
    step(`validator of ${outboxCollection}`, existing.has(outboxCollection) ? 'applied' : 'made'),
  ];
}

/** NamespaceExists. */
const collectionExistsCode = 48;

/** Another set-up may create it at the same time. */
async function createUnlessMade(db: Db, name: string, options: CreateCollectionOptions = {}): Promise<void> {
  try {
    await db.createCollection(name, options);
  } catch (error) {
    if (!(error instanceof MongoServerError && error.code === collectionExistsCode)) throw error;
  }
}

async function setUpIndexes(db: Db): Promise<readonly SetUpStep[]> {
  const steps: SetUpStep[] = [];
  for (const { collection, field } of forgetFields) {
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

/** Drops indexes that an older set-up created with another key, so that they are recreated. */
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

/** A TTL index keeps its first retention; `collMod` sets a new one. */
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
 * A cheap check for a cold start.
 *
 * @throws Fault `set-up-missing` that names what is missing and the command to run.
 */
export async function checkOutbox(db: Db): Promise<void> {
  await checkCollection(db, outboxCollection, [...indexes.map((index) => index.name ?? ''), purgeIndex]);
}

/**
 * Checks that events can be discarded. Called before each such command instead of at a cold start,
 * because the functions do not need it.
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
      `The database ${db.databaseName} has no collection ${collection}. Set MONGODB_DATABASE to the ` +
        'database that your writers write to, or apply the set-up to this one (npx outgraph set-up).',
    );
  }
  const missing = wanted.filter((name) => !names.includes(name)).map((name) => `the index ${name}`);
  if (missing.length === 0) return;
  throw new Fault(
    'set-up-missing',
    `The database ${db.databaseName} lacks ${missing.join(', ')}. Apply the set-up first (npx outgraph set-up).`,
  );
}

/** NamespaceNotFound. */
const noCollectionCode = 26;

/**
 * Returns the indexes of a collection; undefined if the collection does not exist.
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
