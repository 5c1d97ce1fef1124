/**
 * Whether both databases are what a part needs, before it begins: it would otherwise report the same error every
 * second.
 */
import { Fault, type FaultCode } from '../../lib/contract/fault.ts';
import type { GraphAddress, OutboxAddress } from '../../lib/runtime/addresses.ts';
import { requireReplicaSet } from '../../lib/set-up/mongodb-inspect-server.ts';
import { checkGraph } from '../../lib/set-up/neo4j-graph.ts';
import { withGraph, withOutbox } from '../databases.ts';

/**
 * Looks for the set-up in both databases. A server that does not answer now may do so later, and is no fault here.
 *
 * @throws Fault `set-up-missing`, `configuration-invalid`, `graph-of-another-outbox` or `clock-behind-graph`.
 */
export async function checkSetUp(settings: OutboxAddress & GraphAddress): Promise<void> {
  const throwLasting = (error: unknown) => {
    if (isLasting(error)) throw error;
  };
  await withOutbox(settings, async (db) => {
    await requireReplicaSet(db);
    await withGraph(db, settings, (driver) => checkGraph(driver, settings.NEO4J_DATABASE));
  }).catch(throwLasting);
}

const lastingCodes: ReadonlySet<string> = new Set<FaultCode>([
  'set-up-missing',
  'configuration-invalid',
  'graph-of-another-outbox',
  'clock-behind-graph',
]);

function isLasting(error: unknown): boolean {
  return error instanceof Fault && lastingCodes.has(error.code);
}
