/** Everything that each part does with MongoDB, done by the same functions. */
import { randomUUID } from 'node:crypto';
import { type Db, ObjectId } from 'mongodb';
import { backfillThroughOutbox, dropProgress, planBackfill } from '../../../cli/backfill/wiring.ts';
import { keysIn } from '../../../cli/databases.ts';
import { discard, planDiscard } from '../../../cli/dead/discard.ts';
import { listDead, listDiscarded, showDead } from '../../../cli/dead/read-dead.ts';
import { listDocumentsSince, readDocumentsSince } from '../../../cli/documents/mongodb-documents.ts';
import { findDocument } from '../../../cli/documents/mongodb-find-document.ts';
import { recordDeletions } from '../../../cli/documents/mongodb-record-deletions.ts';
import { countDiscarded, findSettledPayloads, hasPending, removeEvents } from '../../../cli/forget/mongodb-forget.ts';
import { readStatus } from '../../../cli/status/wiring.ts';
import { followOutbox } from '../../../cli/tail/mongodb-follow-outbox.ts';
import { consolePorts } from '../../../console/wiring.ts';
import { acknowledgeEvents } from '../../../lib/consumer/mongodb-acknowledge.ts';
import { type ConflictDocument, countConflict, forgetConflicts } from '../../../lib/consumer/mongodb-failures.ts';
import { fetchEvents } from '../../../lib/consumer/mongodb-fetch-events.ts';
import { fetchPending } from '../../../lib/consumer/mongodb-fetch-pending.ts';
import {
  beginTrial,
  endTrials,
  forgetTrials,
  readCrashedTrials,
  type TrialDocument,
} from '../../../lib/consumer/mongodb-trials.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { connectNeo4j } from '../../../lib/graph/neo4j-connect.ts';
import {
  checkpointCollection,
  conflictCollection,
  discardedCollection,
  trialCollection,
} from '../../../lib/outbox/collections.ts';
import { readClusterTime } from '../../../lib/outbox/mongodb-clock.ts';
import { markDead } from '../../../lib/outbox/mongodb-mark-dead.ts';
import { listUnsettledIds, listUnsettledTypes, newestUnsettled } from '../../../lib/outbox/mongodb-unsettled.ts';
import { scanPending } from '../../../lib/publisher/mongodb-backlog.ts';
import { tailOutbox } from '../../../lib/publisher/mongodb-change-stream.ts';
import { acquireLease, type Checkpoint, releaseLease, saveCheckpoint } from '../../../lib/publisher/mongodb-lease.ts';
import { writeDeclaredTypes } from '../../../lib/set-up/mongodb-declared-types.ts';
import { adoptSource, readOutboxId } from '../../../lib/set-up/mongodb-identity.ts';
import { requireReplicaSet } from '../../../lib/set-up/mongodb-inspect-server.ts';
import { checkOutbox, setUpOutbox } from '../../../lib/set-up/mongodb-outbox.ts';
import type { Part } from '../../../lib/set-up/mongodb-roles.ts';
import { joinOutbox } from '../../../lib/sweep/wiring.ts';
import { settled } from '../../../lib/writer/settled.ts';
import { trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { readChunks } from '../../support/chunks.ts';
import { upsertEvent } from '../../support/outbox-event.ts';

/**
 * The work of a part. `admin` is the same database with all rights, to prepare what the part needs.
 */
export type PartAtWork = (db: Db, admin: Db) => Promise<void>;

const addEvent = async (admin: Db) => {
  const event = upsertEvent({ nodes: [] });
  await admin.collection(outboxCollection).insertOne(event);
  return event._id.toHexString();
};

const write: PartAtWork = async (db) => {
  const events = trackCollection(db.client, db, memoryEvent);
  const _id = new ObjectId();
  await events.insertOne({ _id, user_id: 'ada', date: '12-10' });
  await events.updateOne({ _id }, { $set: { date: '12-11' } });
  await events.deleteOne({ _id });
};

const publish: PartAtWork = async (db, admin) => {
  await checkOutbox(db);
  const outbox = db.collection(outboxCollection);
  const checkpoints = db.collection<Checkpoint>(checkpointCollection);
  const lease = await acquireLease(checkpoints, { id: randomUUID(), owner: randomUUID(), leaseSeconds: 60 });
  if (lease === null) throw new Error('The lease of a new publisher is free.');
  const now = await readClusterTime(db.client, outbox);
  const tail = tailOutbox(outbox, { after: now });
  try {
    await tail.next();
    await addEvent(admin);
    const { resumeToken } = await tail.next();
    if (resumeToken === null) throw new Error('A read that waits returns a token.');
    await saveCheckpoint(checkpoints, lease, 60, { tail: { resumeToken }, backlog: null });
  } finally {
    await tail.close();
  }
  await scanPending(db.client, outbox, { until: now, after: null }, 10);
  await releaseLease(checkpoints, lease);
};

const consume: PartAtWork = async (db, admin) => {
  await checkOutbox(db);
  await readOutboxId(db);
  const outbox = db.collection(outboxCollection);
  const [applied, dead] = [await addEvent(admin), await addEvent(admin)];
  await readChunks(fetchEvents(outbox, [applied, dead]));
  await fetchPending(outbox, ['graph:a']);
  const trials = db.collection<TrialDocument>(trialCollection);
  const trial = await beginTrial(trials, {
    eventIds: [new ObjectId(applied).toHexString()],
    alone: true,
    maxMillis: 0,
  });
  await readCrashedTrials(trials, [applied]);
  await forgetTrials(trials, [applied]);
  await endTrials(trials, [trial]);
  const conflicts = db.collection<ConflictDocument>(conflictCollection);
  await countConflict(conflicts, dead);
  await countConflict(conflicts, dead);
  await markDead(outbox, [{ eventId: dead, code: 'ownership-conflict', message: 'a test' }]);
  await forgetConflicts(conflicts, [dead]);
  await acknowledgeEvents(outbox, [applied]);
};

const sweep: PartAtWork = async (db, admin) => {
  await checkOutbox(db);
  await readOutboxId(db);
  const ports = joinOutbox(db);
  const now = await ports.readServerTime();
  await admin.collection(checkpointCollection).deleteMany({ _id: 'canary' as never });
  await ports.writeCanary(now);
  const last = await ports.readLastCanary();
  if (last === null) throw new Error('A canary was written.');
  await ports.settleCanariesBefore(last.position);
  await ports.readWaitingCanaries(10);
  await ports.countOutbox(10);
  await ports.readApplyLags(now, 10);
  await ports.readLastProcessed();
  await ports.readPublisherActivity();
  await ports.countStale(now, 10);
  const eventId = await addEvent(admin);
  await ports.findStale({ staleBefore: now, dueBy: now, after: null, limit: 10 });
  const schedule = { attempts: 0, nextAttemptAt: null };
  await ports.reschedulePending([{ eventId, from: schedule, to: { attempts: 1, nextAttemptAt: now } }]);
  await ports.markDead([{ eventId, code: 'attempts-exhausted', message: 'a test' }]);
  await ports.unsettledAggregates(['graph:a']);
};

/** Sets up an empty database, and then one from an older version. */
const setUp: PartAtWork = async (db, admin) => {
  for (const { name } of await admin.listCollections({ name: /^outbox/ }).toArray()) await admin.dropCollection(name);
  await requireReplicaSet(db);
  await setUpOutbox(db, { processedRetentionSeconds: 60 });
  await admin.collection(outboxCollection).dropIndex('outgraph_dead');
  await admin.collection(outboxCollection).createIndex({ deadAt: 1 }, { name: 'outgraph_dead' });
  await setUpOutbox(db, { processedRetentionSeconds: 3_600 });
  await readOutboxId(db);
  await adoptSource(db, '');
  await writeDeclaredTypes(db, ['graph']);
  await writeDeclaredTypes(db, ['graph', 'another']);
};

const all = { codes: [], aggregateTypes: [], eventIds: [] };
const running = { ratePerSecond: 1_000, signal: new AbortController().signal, progress: () => undefined };

async function addDeadEvent(admin: Db): Promise<string> {
  const eventId = await addEvent(admin);
  await markDead(admin.collection(outboxCollection), [{ eventId, code: 'key-invalid', message: 'a test' }]);
  return eventId;
}

/** Everything the console does, except for the view of an aggregate, which reads its document. */
async function useConsole(db: Db, eventId: string): Promise<void> {
  const uri = 'bolt://127.0.0.1:1';
  const driver = connectNeo4j({ uri, username: '', password: '' });
  const { signal } = running;
  const graph = {
    NEO4J_URI: uri,
    NEO4J_USERNAME: '',
    NEO4J_PASSWORD: '',
    NEO4J_DATABASE: 'neo4j',
    OUTGRAPH_SOURCE: '',
  };
  const keys = keysIn(graph);
  const scope = { db, driver, database: 'neo4j', keys, graph, queues: null, catalog, staleSeconds: 120, signal };
  const ports = consolePorts(scope);
  await ports.readStatus();
  await ports.listDead();
  const selection = { ...all, eventIds: [eventId] };
  const plan = await ports.planRedrive(selection);
  await ports.redrive(selection, { ...plan, until: new Date(Date.now() + 60_000) }, () => undefined);
  await driver.close();
}

/** Inspects pending and dead events, and redrives a dead one. */
const operate: PartAtWork = async (db, admin) => {
  await checkOutbox(db);
  await readOutboxId(db);
  const outbox = db.collection(outboxCollection);
  const eventId = await addEvent(admin);
  await markDead(admin.collection(outboxCollection), [{ eventId, code: 'key-invalid', message: 'a test' }]);
  await readStatus({ db, queues: null }, { staleSeconds: 120 });
  const changes = { aggregateTypes: [], aggregateIds: [], canaries: false };
  const follower = followOutbox(outbox, { after: await readClusterTime(db.client, outbox) }, changes);
  await follower.next().finally(follower.close);
  await listDead(db, all, 10);
  await listDiscarded(db, all, 10);
  await showDead(db, eventId, { graph: null, withPayload: true });
  await showDead(db, new ObjectId().toHexString(), { graph: null, withPayload: true });
  await useConsole(db, await addDeadEvent(admin));
  await db.collection(checkpointCollection).find().toArray();
  const trials = db.collection<TrialDocument>(trialCollection);
  const conflicts = db.collection<ConflictDocument>(conflictCollection);
  await readCrashedTrials(trials, [eventId]);
  await conflicts.find().toArray();
  await forgetTrials(trials, [eventId]);
  await forgetConflicts(conflicts, [eventId]);
  const redrive = { $set: { status: 'pending' }, $unset: { deadAt: '', error: '' } };
  await outbox.updateOne({ _id: new ObjectId(eventId), status: 'dead' }, redrive);
};

/** Discards a dead event. */
const discardDead: PartAtWork = async (db, admin) => {
  await checkOutbox(db);
  await readOutboxId(db);
  const eventId = await addEvent(admin);
  await markDead(admin.collection(outboxCollection), [{ eventId, code: 'key-invalid', message: 'a test' }]);
  const selection = { ...all, eventIds: [eventId] };
  const until = new Date(Date.now() + 60_000);
  await planDiscard(db, null, selection, until);
  const { changed } = await discard(db, selection, until, 'for a test', running);
  if (changed !== 1) throw new Error('A dead event is discarded.');
};

/**
 * Includes recording deletions of aggregates without a document, and what a direct backfill does in
 * MongoDB.
 */
const reproject: PartAtWork = async (db, admin) => {
  await checkOutbox(db);
  await readOutboxId(db);
  await admin.collection(memoryEvent.collection).insertOne({ user_id: 'ada', date: '12-10' });
  const once = { walk: true, signal: new AbortController().signal, progress: () => undefined };
  await findDocument(db, { ...memoryEvent, id: ({ _id }) => `${_id}` }, 'none', once);
  await planBackfill(db, memoryEvent, 'backfill', null);
  const log = { waiting: () => undefined, unrecordable: () => undefined };
  await backfillThroughOutbox(db, memoryEvent, { maxPending: 1_000_000, prune: null, selected: null }, running, log);
  await dropProgress(db, { mode: 'backfill', aggregateType: memoryEvent.type });
  const outbox = db.collection(outboxCollection);
  await listUnsettledIds(outbox, memoryEvent.type, '', 10);
  await listUnsettledTypes(outbox);
  await newestUnsettled(outbox, memoryEvent.type, ['a']);
  const missing = { aggregateType: memoryEvent.type, aggregateId: 'a' };
  const documents = db.collection(memoryEvent.collection);
  const { documents: listed } = await listDocumentsSince(db.client, documents, null, 10);
  await readDocumentsSince(
    db.client,
    documents,
    listed.map(({ id }) => id),
  );
  await recordDeletions(outbox, [{ ...missing, knownPosition: await readClusterTime(db.client, outbox) }], new Date());
};

/** Waits until an event is applied. */
const waitForEvent: PartAtWork = async (db, admin) => {
  const eventId = await addEvent(admin);
  await acknowledgeEvents(admin.collection(outboxCollection), [eventId]);
  await settled(db, [new ObjectId(eventId)]);
};

/** Erases an aggregate with a dead event and a discarded one. */
const erase: PartAtWork = async (db, admin) => {
  await checkOutbox(db);
  await readOutboxId(db);
  const eventId = await addDeadEvent(admin);
  const event = await admin.collection(outboxCollection).findOne({ _id: new ObjectId(eventId) });
  const aggregate = { aggregateType: `${event?.aggregateType}`, aggregateId: `${event?.aggregateId}` };
  await admin.collection(discardedCollection).insertOne({ ...aggregate, discardedAt: new Date() });
  const once = { walk: true, signal: new AbortController().signal, progress: () => undefined };
  await findDocument(db, { ...memoryEvent, id: ({ _id }) => `${_id}` }, 'none', once);
  const collections = {
    outbox: db.collection(outboxCollection),
    discarded: db.collection(discardedCollection),
    trials: db.collection<TrialDocument>(trialCollection),
    conflicts: db.collection<ConflictDocument>(conflictCollection),
  };
  await newestUnsettled(collections.outbox, aggregate.aggregateType, [aggregate.aggregateId]);
  const knownPosition = await readClusterTime(db.client, collections.outbox);
  await recordDeletions(collections.outbox, [{ ...aggregate, knownPosition }], new Date());
  await hasPending(collections.outbox, aggregate);
  await countDiscarded(collections.discarded, aggregate);
  const removed = await removeEvents(collections, aggregate, await findSettledPayloads(collections.outbox, aggregate));
  if (removed.events !== 1 || removed.discarded !== 1) throw new Error('The events are removed.');
};

/** The parts, each with all its work. */
export const partsAtWork: Readonly<Record<Part, PartAtWork>> = {
  writer: write,
  await: waitForEvent,
  publisher: publish,
  consumer: consume,
  sweep,
  'set-up': setUp,
  worker: async (db, admin) => {
    await requireReplicaSet(db);
    await publish(db, admin);
    await consume(db, admin);
    await sweep(db, admin);
  },
  operator: operate,
  discard: discardDead,
  reprojection: reproject,
  erasure: erase,
};
