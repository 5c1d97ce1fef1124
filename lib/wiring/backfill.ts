/** Joins the backfill that goes straight to the graph to both databases. */
import type { AggregateDefinition } from '../aggregates/define-aggregate.ts';
import {
  type DocumentId,
  type DocumentsSince,
  listDocumentsSince,
  readDocumentsSince,
} from '../mongodb/list-documents.ts';
import { outboxOf } from '../mongodb/outbox-of.ts';
import { readReprojection, removeReprojection, saveReprojection } from '../mongodb/reprojection-note.ts';
import { readClusterTime } from '../mongodb/scan-pending.ts';
import { countPending } from '../mongodb/unsettled-positions.ts';
import { checkGraph } from '../neo4j/set-up-graph.ts';
import { type BackfillPorts, type BackfillReport, backfill } from '../operate/backfill/backfill.ts';
import type { DocumentsRead } from '../operate/backfill/bring-over.ts';
import { chunkFor } from '../operate/pace.ts';
import { stateOf } from './document-state.ts';
import { joinGraph } from './graph.ts';
import { type Databases, paceOf, type Running, sleepUnless } from './operator.ts';
import { recordDocuments } from './record-documents.ts';
import { notesOf } from './reproject.ts';

/** Documents that are read and applied at once, as many as events in a batch of the consumer. */
const maxDocumentsAtOnce = 1_000;

export interface BackfillSettings {
  readonly concurrency: number;
  readonly maxPending: number;
  readonly transactionSeconds: number;
}

/**
 * Brings every document of a type straight to the graph.
 *
 * @throws Fault `set-up-missing`; `mongodb-unavailable` or `neo4j-unavailable` where they stay away, and the next run goes on where this one was.
 */
export async function backfillType(
  scope: Databases,
  definition: AggregateDefinition,
  settings: BackfillSettings,
  running: Running,
  log: BackfillPorts<DocumentId>['log'],
): Promise<BackfillReport> {
  await checkGraph(scope.driver, scope.database);
  const aggregateType = definition.type;
  const report = await backfill(joinBackfill(scope, definition, running, log), {
    ...settings,
    aggregateType,
    chunkDocuments: chunkFor(running.ratePerSecond, maxDocumentsAtOnce),
  });
  if (report.outcome === 'done') await removeReprojection(notesOf(scope.db), { command: 'backfill', aggregateType });
  return report;
}

/** The flow's ports on both databases. */
export function joinBackfill(
  { db, driver, database }: Databases,
  definition: AggregateDefinition,
  running: Running,
  log: BackfillPorts<DocumentId>['log'],
): BackfillPorts<DocumentId> {
  const owner = { command: 'backfill', aggregateType: definition.type } as const;
  const notes = notesOf(db);
  const outbox = outboxOf(db);
  const documents = db.collection(definition.collection);
  const read = async (some: () => Promise<DocumentsSince>): Promise<DocumentsRead<DocumentId>> => {
    const readAtMillis = Date.now();
    const found = await some();
    const states = found.documents.map((document) => stateOf(definition, document));
    return { documents: states, committedUntil: found.committedUntil, readAtMillis };
  };
  return {
    readProgress: () => readReprojection(notes, owner),
    saveProgress: (progress) => saveReprojection(notes, owner, progress),
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
