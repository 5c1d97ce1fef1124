/**
 * Backfills one aggregate type on real databases: through the outbox, with pruning, or straight
 * into the graph.
 */
import { randomUUID } from 'node:crypto';
import type { Db } from 'mongodb';
import type { Position } from '../../lib/contract/position.ts';
import { listAggregates, readAggregatePositions } from '../../lib/graph/neo4j-list-aggregates.ts';
import { joinGraph } from '../../lib/graph/wiring.ts';
import { checkpointCollection } from '../../lib/outbox/collections.ts';
import { readClusterTime } from '../../lib/outbox/mongodb-clock.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { countPending, listUnsettledIds, newestUnsettled } from '../../lib/outbox/mongodb-unsettled.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import type { GraphAddress } from '../../lib/runtime/addresses.ts';
import { isMarked, markRun } from '../../lib/set-up/neo4j-binding.ts';
import { checkGraph } from '../../lib/set-up/neo4j-graph.ts';
import { type Databases, keysIn, paceOf, type Running, sleepUnless, withGraph } from '../databases.ts';
import { stateOf } from '../documents/document-state.ts';
import {
  type DocumentId,
  type DocumentsSince,
  estimateDocuments,
  listDocumentIds,
  listDocumentsSince,
  readDocumentsSince,
} from '../documents/mongodb-documents.ts';
import { recordDocuments } from '../documents/mongodb-record-current-states.ts';
import { recordDeletions } from '../documents/mongodb-record-deletions.ts';
import { recordedAtOnce } from '../throttle/capacity.ts';
import { chunkFor } from '../throttle/pace.ts';
import type { ChunkReport, DocumentsRead } from './backfill-chunk.ts';
import { backfillDirectly, type DirectPorts } from './backfill-directly.ts';
import {
  type BackfillMode,
  type NoteOwner,
  type ProgressNote,
  readProgressNote,
  removeProgressNote,
  saveProgressNote,
} from './mongodb-progress.ts';
import { type PruneReport, prune } from './prune.ts';
import { type RecordAllLog, type RecordAllPorts, recordAll } from './record-all.ts';

/** The outcome for one type. `pruned` is null if pruning was not requested or not reached. */
export interface BackfillReport extends ChunkReport {
  readonly outcome: 'done' | 'interrupted';
  /** By this run and by the earlier runs that it continued. */
  readonly documents: number;
  readonly pruned: PruneReport | null;
}

export interface BackfillPlan {
  /** Approximate. */
  readonly documents: number;
  /** The documents completed by an interrupted run; null if there is none. */
  readonly doneBefore: number | null;
  /** The ids of the selected documents; null: all. */
  readonly selected: readonly DocumentId[] | null;
}

/** @throws Fault `mongodb-unavailable`. */
export async function planBackfill(
  db: Db,
  { type, collection }: AggregateDefinition,
  mode: BackfillMode,
  selected: readonly DocumentId[] | null,
): Promise<BackfillPlan> {
  if (selected !== null) return { documents: selected.length, doneBefore: null, selected };
  const before = await readProgressNote(progressNotes(db), { mode, aggregateType: type });
  const documents = await estimateDocuments(db.collection(collection));
  return { documents, doneBefore: before?.recorded ?? null, selected };
}

/**
 * Drops the note of an earlier run, so that the next one starts at the first document.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export function dropProgress(db: Db, owner: NoteOwner): Promise<void> {
  return removeProgressNote(progressNotes(db), owner);
}

export interface PruneSettings {
  readonly graph: GraphAddress;
  readonly transactionSeconds: number;
  readonly maxDeleted: number;
}

export interface ThroughOutboxOptions {
  readonly maxPending: number;
  readonly prune: PruneSettings | null;
  /** Records only these documents. Such a run is not continued. Null: all of the type. */
  readonly selected: readonly DocumentId[] | null;
}

/**
 * Records every document of a type. With `prune`, also records deletions of aggregates without a
 * document.
 *
 * @throws Fault `mongodb-unavailable` or `neo4j-unavailable`. The next run continues; with `prune`,
 * it starts at the first document.
 */
export async function backfillThroughOutbox(
  db: Db,
  definition: AggregateDefinition,
  { maxPending, prune: pruning, selected }: ThroughOutboxOptions,
  running: Running,
  log: Omit<RecordAllLog<DocumentId>, 'progress'>,
): Promise<BackfillReport> {
  const aggregateType = definition.type;
  const outbox = outboxOf(db);
  const notes = progressNotes(db);
  const owner = { mode: 'backfill', aggregateType } as const;
  const run = randomUUID();
  if (pruning !== null) {
    // A run that prunes starts over: the graph may have been restored since an earlier run, and
    // would then lack that run's events.
    await removeProgressNote(notes, owner);
    const { graph } = pruning;
    await withGraph(db, graph, (driver) => markRun(driver, graph.NEO4J_DATABASE, keysIn(graph), aggregateType, run));
  }
  const walk = selected === null ? walkOf(db, definition, owner) : walkOfSelected(selected);
  const before = (await walk.readProgress())?.recorded ?? 0;
  const { outcome, startedAt, recorded, unprojectable, unrecordable } = await recordAll<DocumentId>(
    {
      ...walk,
      readClusterTime: () => readClusterTime(db.client, outbox),
      recordCurrentStates: (ids) => recordDocuments(db, definition, ids),
      countPending: (limit) => countPending(outbox, limit),
      pace: paceOf(running),
      sleep: (millis) => sleepUnless(running.signal, millis),
      isInterrupted: () => running.signal.aborted,
      log: { ...log, progress: running.progress },
    },
    { chunkDocuments: chunkFor(running.ratePerSecond, recordedAtOnce), maxPending },
  );
  // Without an event, a document would seem to be missing.
  const prunes = pruning !== null && outcome === 'done' && unrecordable === 0;
  const pruned = prunes ? await pruneType(db, { aggregateType, startedAt, run }, pruning, running) : null;
  if (selected === null && outcome === 'done' && (pruned === null || pruned.outcome === 'done'))
    await removeProgressNote(notes, owner);
  const counts = { throughOutbox: recorded - before, unprojectable, unrecordable };
  const isInterrupted = outcome === 'interrupted' || pruned?.outcome === 'interrupted';
  return {
    outcome: isInterrupted ? 'interrupted' : 'done',
    documents: recorded + unrecordable,
    applied: 0,
    superseded: 0,
    ...counts,
    pruned,
  };
}

type Walk = Pick<RecordAllPorts<DocumentId>, 'readProgress' | 'saveProgress' | 'listDocumentIds'>;

function walkOf(db: Db, { collection }: AggregateDefinition, owner: NoteOwner): Walk {
  const notes = progressNotes(db);
  return {
    readProgress: () => readProgressNote(notes, owner),
    saveProgress: (progress) => saveProgressNote(notes, owner, progress),
    listDocumentIds: (after, limit) => listDocumentIds(db.collection(collection), after, limit),
  };
}

function walkOfSelected(ids: readonly DocumentId[]): Walk {
  let listed = 0;
  return {
    readProgress: async () => null,
    saveProgress: async () => undefined,
    listDocumentIds: async (_after, limit) => {
      const page = ids.slice(listed, listed + limit);
      listed += page.length;
      return page;
    },
  };
}

function pruneType(
  db: Db,
  {
    aggregateType,
    startedAt,
    run,
  }: { readonly aggregateType: string; readonly startedAt: Position; readonly run: string },
  { graph, transactionSeconds, maxDeleted }: PruneSettings,
  running: Running,
): Promise<PruneReport> {
  const outbox = outboxOf(db);
  const database = graph.NEO4J_DATABASE;
  const keys = keysIn(graph);
  return withGraph(db, graph, (driver) =>
    prune(
      {
        listAggregates: (notAfter, after, limit) =>
          listAggregates(driver, database, keys, { aggregateType, notAfter, after, limit }),
        readPositions: (ids) => readAggregatePositions(driver, database, keys, aggregateType, ids),
        listUnsettledIds: (after, limit) => listUnsettledIds(outbox, aggregateType, after, limit),
        newestUnsettled: (ids) => newestUnsettled(outbox, aggregateType, ids),
        recordDeletions: (missing) =>
          recordDeletions(
            outbox,
            missing.map((aggregate) => ({ aggregateType, ...aggregate })),
            new Date(),
          ),
        isSameGraph: () => isMarked(driver, database, keys, aggregateType, run),
        pace: paceOf(running),
        isInterrupted: () => running.signal.aborted,
      },
      { startedAt, transactionSeconds, maxDeleted },
    ),
  );
}

/** Documents read and applied at once: as many as a consumer's batch has events. */
const maxDocumentsAtOnce = 1_000;

export interface DirectSettings {
  readonly concurrency: number;
  readonly maxPending: number;
  readonly transactionSeconds: number;
}

/**
 * Writes every document of a type straight to the graph.
 *
 * @throws Fault `set-up-missing`; `mongodb-unavailable` or `neo4j-unavailable` if the server stays
 * unavailable. The next run continues.
 */
export async function backfillIntoGraph(
  scope: Databases,
  definition: AggregateDefinition,
  settings: DirectSettings,
  running: Running,
  log: DirectPorts<DocumentId>['log'],
): Promise<BackfillReport> {
  await checkGraph(scope.driver, scope.database);
  const aggregateType = definition.type;
  const report = await backfillDirectly(joinDirect(scope, definition, running, log), {
    ...settings,
    aggregateType,
    keys: scope.keys,
    chunkDocuments: chunkFor(running.ratePerSecond, maxDocumentsAtOnce),
  });
  if (report.outcome === 'done') await dropProgress(scope.db, { mode: 'direct-backfill', aggregateType });
  return { ...report, pruned: null };
}

/** The ports of a direct backfill, on both databases. */
export function joinDirect(
  { db, driver, database }: Databases,
  definition: AggregateDefinition,
  running: Running,
  log: DirectPorts<DocumentId>['log'],
): DirectPorts<DocumentId> {
  const owner = { mode: 'direct-backfill', aggregateType: definition.type } as const;
  const notes = progressNotes(db);
  const outbox = outboxOf(db);
  const documents = db.collection(definition.collection);
  const read = async (find: () => Promise<DocumentsSince>): Promise<DocumentsRead<DocumentId>> => {
    const readAtMillis = Date.now();
    const found = await find();
    const states = found.documents.map((document) => stateOf(definition, document));
    return { documents: states, committedUntil: found.committedUntil, readAtMillis };
  };
  return {
    readProgress: () => readProgressNote(notes, owner),
    saveProgress: (progress) => saveProgressNote(notes, owner, progress),
    readClusterTime: () => readClusterTime(db.client, outbox),
    listDocuments: (after, limit) => read(() => listDocumentsSince(db.client, documents, after, limit)),
    readAgain: (ids) => read(() => readDocumentsSince(db.client, documents, ids)),
    applyBatch: joinGraph(driver, database, { db }).applyBatch,
    recordCurrentStates: (ids) => recordDocuments(db, definition, ids),
    countPending: (limit) => countPending(outbox, limit),
    nowMillis: Date.now,
    pace: paceOf(running),
    sleep: (millis) => sleepUnless(running.signal, millis),
    isInterrupted: () => running.signal.aborted,
    progress: running.progress,
    log,
  };
}

function progressNotes(db: Db) {
  return db.collection<ProgressNote>(checkpointCollection);
}
