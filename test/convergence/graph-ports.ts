/** The consumer's view of a real Neo4j. */
import type { Driver } from 'neo4j-driver';
import { applyBatch } from '../../lib/apply/apply-batch.ts';
import type { ConsumePorts } from '../../lib/consume/consume.ts';
import { applyStates } from '../../lib/neo4j/apply-states.ts';
import { createEnsureSchema } from '../../lib/neo4j/ensure-schema.ts';
import { findSharers } from '../../lib/neo4j/find-sharers.ts';

/** What the consumer needs of the graph. */
export type GraphPorts = Pick<ConsumePorts, 'applyBatch' | 'findSharers'>;

/** The same joining as the consumer's, on a driver of the test's own. */
export function graphPorts(driver: Driver, database: string): GraphPorts {
  const graph = {
    ensureSchema: createEnsureSchema(driver, database, Date.now),
    applyStates: (states: Parameters<typeof applyStates>[2]) => applyStates(driver, database, states),
  };
  return {
    applyBatch: (states, results) => applyBatch(states, graph, results),
    findSharers: (identities) => findSharers(driver, database, identities),
  };
}
