/** Joins the repair to both databases. */

import { splitAggregateKey } from '../../lib/contract/outbox-event.ts';
import { readClusterTime } from '../../lib/outbox/mongodb-clock.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { countPending, oldestPending } from '../../lib/outbox/mongodb-unsettled.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { type Databases, paceOf, type Running, sleepUnless } from '../databases.ts';
import type { DocumentId } from '../documents/mongodb-documents.ts';
import { recordDeletions } from '../documents/mongodb-record-deletions.ts';
import { recordDocuments } from '../documents/mongodb-record-current-states.ts';
import { recordedAtOnce } from '../throttle/capacity.ts';
import { chunkFor } from '../throttle/pace.ts';
import type { Found } from './difference.ts';
import { correctManifests } from './neo4j-correct-manifests.ts';
import { settleElements } from './neo4j-settle-elements.ts';
import type { VerifyStep } from './ports.ts';
import { type RepairLog, type RepairOptions, type RepairReport, repair } from './repair.ts';
import type { VerifyOptions } from './verify.ts';
import { verifyGraph } from './wiring.ts';

/** What a repair tells while it is at work. */
export interface RepairTelling extends Omit<RepairLog, 'progress'> {
  readonly looked: (step: VerifyStep, looked: number) => void;
  readonly found: (found: Found<DocumentId>) => void;
}

/**
 * Repairs what is not right of these types.
 *
 * @throws Fault `mongodb-unavailable` or `neo4j-unavailable`; run it again.
 */
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
