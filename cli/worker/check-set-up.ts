/** Whether both databases are what a part needs, before it begins: it would otherwise report the same error every second. */
import type { Db } from 'mongodb';
import { Fault, type FaultCode } from '../../lib/contract/fault.ts';
import { readServerFacts } from '../../lib/set-up/mongodb-inspect-server.ts';
import { checkGraph } from '../../lib/set-up/neo4j-graph.ts';
import { type GraphAddress, type OutboxAddress, withGraph, withOutbox } from '../databases.ts';
import { judgeTopology } from '../doctor/findings.ts';

/** @throws Fault `configuration-invalid` for a standalone server; `mongodb-unavailable`. */
export async function requireReplicaSet(db: Db): Promise<void> {
  const { outcome, detail, advice } = judgeTopology(await readServerFacts(db));
  if (outcome === 'wrong') throw new Fault('configuration-invalid', `MONGODB_URI: ${detail}. ${advice}`);
}

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
