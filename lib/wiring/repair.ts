/** Joins the repair to both databases. */
import type { AggregateDefinition } from '../aggregates/define-aggregate.ts';
import { splitAggregateKey } from '../contract/outbox-event.ts';
import type { DocumentId } from '../mongodb/list-documents.ts';
import { outboxOf } from '../mongodb/outbox-of.ts';
import { recordDeletions } from '../mongodb/record-deletions.ts';
import { readClusterTime } from '../mongodb/scan-pending.ts';
import { countPending, oldestPending } from '../mongodb/unsettled-positions.ts';
import { correctManifests } from '../neo4j/correct-manifests.ts';
import { settleElements } from '../neo4j/settle-elements.ts';
import { chunkFor } from '../operate/pace.ts';
import { type RepairLog, type RepairOptions, type RepairReport, repair } from '../operate/repair.ts';
import { recordedAtOnce } from '../operate/room.ts';
import type { Found } from '../verify/difference.ts';
import type { VerifyOptions } from '../verify/verify.ts';
import type { VerifyStep } from '../verify/verify-ports.ts';
import { type Databases, paceOf, type Running, sleepUnless } from './operator.ts';
import { recordDocuments } from './record-documents.ts';
import { verifyGraph } from './verify.ts';

/** What a repair tells while it is at work. */
export interface RepairTelling extends Omit<RepairLog, 'progress'> {
  readonly looked: (step: VerifyStep, looked: number) => void;
  readonly found: (found: Found<DocumentId>) => void;
}

/** Repairs what is not right of these types. @throws Fault `mongodb-unavailable` or `neo4j-unavailable`; run it again. */
export async function repairGraph(
  { db, driver, database }: Databases,
  definitions: readonly AggregateDefinition[],
  options: Omit<RepairOptions, 'chunkDocuments'> & Pick<VerifyOptions, 'transactionSeconds' | 'isWholeCatalog'>,
  running: Running,
  telling: RepairTelling,
): Promise<RepairReport> {
  const outbox = outboxOf(db);
  const byType = new Map(definitions.map((definition) => [definition.type, definition]));
  return repair<DocumentId>(
    {
      verify: (tell) =>
        verifyGraph(
          { db, driver, database },
          definitions,
          { ...options, quick: false },
          {
            signal: running.signal,
            progress: telling.looked,
            tell: (found) => {
              telling.found(found);
              return tell(found);
            },
          },
        ),
      correctManifests: (damaged) => correctManifests(driver, database, damaged),
      recordCurrentStates: (aggregateType, ids) => {
        const definition = byType.get(aggregateType);
        if (definition === undefined) throw new Error(`The aggregate type "${aggregateType}" is not repaired.`);
        return recordDocuments(db, definition, ids);
      },
      recordDeletions: (ghosts) =>
        recordDeletions(
          outbox,
          ghosts.map(({ key, position }) => ({ ...splitAggregateKey(key), knownPosition: position })),
          new Date(),
        ),
      settleElements: (elements) => settleElements(driver, database, { elements, rewrite: false }),
      readClusterTime: () => readClusterTime(db.client, outbox),
      oldestPending: () => oldestPending(outbox),
      countPending: (limit) => countPending(outbox, limit),
      pace: paceOf(running),
      sleep: (millis) => sleepUnless(running.signal, millis),
      isInterrupted: () => running.signal.aborted,
      log: { ...telling, progress: running.progress },
    },
    { ...options, chunkDocuments: chunkFor(running.ratePerSecond, recordedAtOnce) },
  );
}
