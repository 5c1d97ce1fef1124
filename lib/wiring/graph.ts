/** Joins the apply to Neo4j: what the consumer needs of the graph. */
import type { Driver } from 'neo4j-driver';
import { type ApplyPorts, applyBatch } from '../apply/apply-batch.ts';
import type { ConsumePorts } from '../consume/consume-ports.ts';
import { applyStates } from '../neo4j/apply-states.ts';
import { createEnsureSchema } from '../neo4j/ensure-schema.ts';
import { findSharers } from '../neo4j/find-sharers.ts';

/** The part of the consumer's ports that is the graph. */
export type GraphPorts = Pick<ConsumePorts, 'applyBatch' | 'findSharers'>;

/** Joins the parts on a driver, which stays the caller's to close. */
export function joinGraph(driver: Driver, database: string): GraphPorts {
  const ports: ApplyPorts = {
    ensureSchema: createEnsureSchema(driver, database, Date.now),
    applyStates: (states) => applyStates(driver, database, states),
  };
  return {
    applyBatch: (states, results) => applyBatch(states, ports, results),
    findSharers: (identities) => findSharers(driver, database, identities),
  };
}
