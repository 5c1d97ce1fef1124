/** Joins the backfill that goes straight to the graph to both databases. */

import { joinGraph } from '../../lib/graph/wiring.ts';
import { readClusterTime } from '../../lib/outbox/mongodb-clock.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { countPending } from '../../lib/outbox/mongodb-unsettled.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { checkGraph } from '../../lib/set-up/neo4j-graph.ts';
import { type Databases, paceOf, type Running, sleepUnless } from '../databases.ts';
import { stateOf } from '../documents/document-state.ts';
import {
  type DocumentId,
  type DocumentsSince,
  listDocumentsSince,
  readDocumentsSince,
} from '../documents/mongodb-documents.ts';
import { recordDocuments } from '../documents/record-documents.ts';
import { readReprojection, removeReprojection, saveReprojection } from '../reproject/mongodb-note.ts';
import { notesOf } from '../reproject/wiring.ts';
import { chunkFor } from '../throttle/pace.ts';
import { type BackfillPorts, type BackfillReport, backfill } from './backfill.ts';
import type { DocumentsRead } from './bring-over.ts';

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
