/** Joins the apply to Neo4j: what the consumer needs of the graph. */
import type { Db } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import { type ApplyPorts, applyBatch } from '../apply/apply-batch.ts';
import type { ConsumePorts } from '../consume/consume-ports.ts';
import { applyStates } from '../neo4j/apply-states.ts';
import { createEnsureSchema } from '../neo4j/ensure-schema.ts';
import { findSharers } from '../neo4j/find-sharers.ts';
import { watchSuperseded } from './superseded.ts';

/** The part of the consumer's ports that is the graph. */
export type GraphPorts = Pick<ConsumePorts, 'applyBatch' | 'findSharers'>;

/**
 * Joins the parts on a driver, which stays the caller's to close.
 *
 * @param db the outbox's; left out, positions are of the caller's own making, and nothing is
 * checked that is superseded.
 */
export function joinGraph(driver: Driver, database: string, db?: Db): GraphPorts {
  const ports: ApplyPorts = {
    ensureSchema: createEnsureSchema(driver, database, Date.now),
    applyStates: (states) => applyStates(driver, database, states),
  };
  const apply: GraphPorts['applyBatch'] = (states, results) => applyBatch(states, ports, results);
  return {
    applyBatch: db === undefined ? apply : watchSuperseded(db, driver, database, ports),
    findSharers: (identities) => findSharers(driver, database, identities),
  };
}
