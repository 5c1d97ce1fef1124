/** Joins the reprojection of an aggregate type, and the forgetting of what has no document, to both databases. */
import { randomUUID } from 'node:crypto';
import type { Db } from 'mongodb';
import { canaryAggregate } from '../../lib/contract/canary.ts';
import type { Position } from '../../lib/contract/position.ts';
import { listAggregates, readAggregatePositions } from '../../lib/graph/neo4j-list-aggregates.ts';
import { checkpointCollection } from '../../lib/outbox/collections.ts';
import { readClusterTime } from '../../lib/outbox/mongodb-clock.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { countPending, listUnsettledIds, newestUnsettled } from '../../lib/outbox/mongodb-unsettled.ts';
import type { AggregateCatalog } from '../../lib/projection/catalog.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import type { GraphAddress } from '../../lib/runtime/addresses.ts';
import { isMarked, markRun } from '../../lib/set-up/neo4j-binding.ts';
import { paceOf, type Running, sleepUnless, withGraph } from '../databases.ts';
import { type DocumentId, estimateDocuments, listDocumentIds } from '../documents/mongodb-documents.ts';
import { recordDeletions } from '../documents/mongodb-record-deletions.ts';
import { recordDocuments } from '../documents/record-documents.ts';
import { chunkFor } from '../throttle/pace.ts';
import { recordedAtOnce } from '../throttle/room.ts';
import { type ForgetReport, forgetMissing } from './forget-missing.ts';
import {
  type NoteOwner,
  type NotingCommand,
  type ReprojectionNote,
  readReprojection,
  removeReprojection,
  saveReprojection,
} from './mongodb-note.ts';
import { type ReprojectLog, type ReprojectReport, reproject } from './reproject.ts';

/** How aggregates that have no document are forgotten. */
export interface ForgetSettings {
  readonly graph: GraphAddress;
  readonly transactionSeconds: number;
  readonly maxForgotten: number;
}

/** How a type is recorded anew. */
export interface ReprojectTypeOptions {
  readonly command: NotingCommand;
  readonly maxPending: number;
  readonly forget: ForgetSettings | null;
}

/** `forgotten` is null where nothing was to be forgotten, or where it did not come to that. */
export interface ReprojectResult extends ReprojectReport {
  readonly forgotten: ForgetReport | null;
}

/** The aggregate types of a catalog that have documents. */
export function reprojectable(catalog: AggregateCatalog): readonly AggregateDefinition[] {
  return [...catalog.values()].filter(({ type }) => type !== canaryAggregate.aggregateType);
}

/** What a reprojection of a type goes over. */
export interface ReprojectPlan {
  /** About. */
  readonly documents: number;
  /** What an earlier run, which did not come to its end, has recorded; null where there is none. */
  readonly recordedBefore: number | null;
}

/** @throws Fault `mongodb-unavailable`. */
export async function planReprojection(
  db: Db,
  { type, collection }: AggregateDefinition,
  command: NotingCommand,
): Promise<ReprojectPlan> {
  const before = await readReprojection(notesOf(db), { command, aggregateType: type });
  const documents = await estimateDocuments(db.collection(collection));
  return { documents, recordedBefore: before?.recorded ?? null };
}

/** Drops what an earlier run noted, so that the next one begins anew. @throws Fault `mongodb-unavailable`. */
export function dropReprojection(db: Db, owner: NoteOwner): Promise<void> {
  return removeReprojection(notesOf(db), owner);
}

/**
 * Records every document of a type anew; with `forget`, also the deletion of the aggregates that have none.
 *
 * @throws Fault `mongodb-unavailable` or `neo4j-unavailable`; the next run goes on where this one
 * was, but one with `forget` starts over.
 */
export async function reprojectType(
  db: Db,
  definition: AggregateDefinition,
  { command, maxPending, forget }: ReprojectTypeOptions,
  running: Running,
  log: Omit<ReprojectLog<DocumentId>, 'progress'>,
): Promise<ReprojectResult> {
  const aggregateType = definition.type;
  const outbox = outboxOf(db);
  const notes = notesOf(db);
  const owner = { command, aggregateType };
  const run = randomUUID();
  if (forget !== null) {
    // A run that deletes starts over: the graph may have been restored since an earlier one has
    // recorded its part, and would miss it.
    await removeReprojection(notes, owner);
    const { graph } = forget;
    await withGraph(db, graph, (driver) => markRun(driver, graph.NEO4J_DATABASE, aggregateType, run));
  }
  const report = await reproject<DocumentId>(
    {
      readProgress: () => readReprojection(notes, owner),
      saveProgress: (progress) => saveReprojection(notes, owner, progress),
      readClusterTime: () => readClusterTime(db.client, outbox),
      listDocumentIds: (after, limit) => listDocumentIds(db.collection(definition.collection), after, limit),
      recordCurrentStates: (ids) => recordDocuments(db, definition, ids),
      countPending: (limit) => countPending(outbox, limit),
      pace: paceOf(running),
      sleep: (millis) => sleepUnless(running.signal, millis),
      isInterrupted: () => running.signal.aborted,
      log: { ...log, progress: running.progress },
    },
    { chunkDocuments: chunkFor(running.ratePerSecond, recordedAtOnce), maxPending },
  );
  // A document without an event would pass for one that is missing.
  const forgets = forget !== null && report.outcome === 'done' && report.unrecordable === 0;
  const forgotten = forgets
    ? await forgetType(db, { aggregateType, startedAt: report.startedAt, run }, forget, running)
    : null;
  if (report.outcome === 'done' && (forgotten === null || forgotten.outcome === 'done'))
    await removeReprojection(notes, owner);
  return { ...report, forgotten };
}

function forgetType(
  db: Db,
  {
    aggregateType,
    startedAt,
    run,
  }: { readonly aggregateType: string; readonly startedAt: Position; readonly run: string },
  { graph, transactionSeconds, maxForgotten }: ForgetSettings,
  running: Running,
): Promise<ForgetReport> {
  const outbox = outboxOf(db);
  const database = graph.NEO4J_DATABASE;
  return withGraph(db, graph, (driver) =>
    forgetMissing(
      {
        listAggregates: (notAfter, after, limit) =>
          listAggregates(driver, database, { aggregateType, notAfter, after, limit }),
        readPositions: (ids) => readAggregatePositions(driver, database, aggregateType, ids),
        listUnsettledIds: (after, limit) => listUnsettledIds(outbox, aggregateType, after, limit),
        newestUnsettled: (ids) => newestUnsettled(outbox, aggregateType, ids),
        recordDeletions: (missing) => {
          const ofType = missing.map((one) => ({ aggregateType, ...one }));
          return recordDeletions(outbox, ofType, new Date());
        },
        isSameGraph: () => isMarked(driver, database, aggregateType, run),
        pace: paceOf(running),
        isInterrupted: () => running.signal.aborted,
      },
      { startedAt, transactionSeconds, maxForgotten },
    ),
  );
}

/** Where commands note how far they are. */
export function notesOf(db: Db) {
  return db.collection<ReprojectionNote>(checkpointCollection);
}
