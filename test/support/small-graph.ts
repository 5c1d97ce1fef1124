/** A label and a relationship type for one test, and functions to apply states with them. */
import { randomBytes } from 'node:crypto';
import { toPosition } from '../../lib/contract/position.ts';
import type { AggregateState } from '../../lib/graph/aggregate-state.ts';
import { applyBatch, type BatchResults } from '../../lib/graph/apply-batch.ts';
import { applyStates } from '../../lib/graph/neo4j-apply-states.ts';
import { createSchemaPorts } from '../../lib/graph/neo4j-ensure-schema.ts';
import { readSubgraph } from '../../lib/projection/read-subgraph.ts';
import { setUpGraph } from '../../lib/set-up/neo4j-graph.ts';
import { catalog } from '../../xmem/catalog.ts';
import { clearGraph } from './clear-graph.ts';
import { connectGraph } from './connect-graph.ts';
import { testOutboxId } from './outbox-id.ts';
import { servers } from './servers.ts';

/**
 * Opens a driver and sets up the graph. `clear` removes everything that was applied and closes the
 * driver.
 */
export async function openSmallGraph() {
  const driver = connectGraph(servers);
  await setUpGraph(driver, 'neo4j', catalog, testOutboxId);
  const label = `Small${randomBytes(4).toString('hex')}`;
  const schema = createSchemaPorts(driver, 'neo4j', Date.now);
  let second = 0;
  const graph = { driver, label, type: `REL_${label}`, transactions: 0 };
  const node = (id: string, fields: object = {}) => ({ label, key: { id }, ...fields });
  return {
    graph,
    node,
    /** A state of the aggregate with this id, newer than all before. */
    state: (id: string, raw: unknown): AggregateState => {
      second += 1;
      const subgraph = raw === null ? null : readSubgraph(raw);
      return { key: `graph:${label}-${id}`, position: toPosition({ t: second, i: 1 }), subgraph };
    },
    /** Applies a batch. `graph.transactions` counts the transactions. */
    apply: async (states: readonly AggregateState[]): Promise<BatchResults> => {
      const results: BatchResults = new Map();
      const counted = (batch: readonly AggregateState[]) => {
        graph.transactions += 1;
        return applyStates(driver, 'neo4j', batch);
      };
      await applyBatch(states, { ...schema, applyStates: counted, answers: async () => true }, results);
      return results;
    },
    /** One number that a query returns as `value`. */
    count: async (query: string, parameters: object = {}): Promise<number> => {
      const { records } = await driver.executeQuery(query, parameters);
      return Number(records[0]?.get('value'));
    },
    clear: async () => {
      await clearGraph(driver, [label], `graph:${label}`);
      await driver.close();
    },
  };
}
