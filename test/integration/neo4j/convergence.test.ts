/** The contract's heart: whatever the order, duplication and concurrency of deliveries, the graph equals the model's. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { aggregates } from '../../../lib/aggregates/catalog.ts';
import { type ApplyPorts, applyBatch } from '../../../lib/apply/apply-batch.ts';
import { inChunks } from '../../../lib/in-chunks.ts';
import { applyStates } from '../../../lib/neo4j/apply-states.ts';
import { createEnsureSchema } from '../../../lib/neo4j/ensure-schema.ts';
import { setUpGraph } from '../../../lib/neo4j/set-up-graph.ts';
import { connectGraph } from '../../connect-graph.ts';
import { expectedGraph, type ModelEvent } from '../../model/expected-graph.ts';
import { randomHistory, universeKeys } from '../../model/random-history.ts';
import { readGraph } from '../../model/read-graph.ts';
import { stack } from '../../stack.ts';

const database = 'neo4j';
const driver = connectGraph(stack);
const ports: ApplyPorts = {
  ensureSchema: createEnsureSchema(driver, database, Date.now),
  applyStates: (states) => applyStates(driver, database, states),
};
const universe = { suffix: `T${randomBytes(4).toString('hex')}`, aggregates: 6 };
const keys = universeKeys(universe);

/** How many histories; `OUTGRAPH_HISTORIES=2000 npm test -- test/integration/neo4j` soaks. */
const histories = Number(process.env.OUTGRAPH_HISTORIES ?? 60);

beforeAll(() => setUpGraph(driver, database, aggregates));
afterAll(async () => {
  await clear();
  await driver.close();
});

async function clear(): Promise<void> {
  await driver.executeQuery('MATCH (n) WHERE any(label IN labels(n) WHERE label IN $labels) DETACH DELETE n', {
    labels: Object.keys(keys),
  });
  await driver.executeQuery('MATCH (a:OutgraphAggregate) WHERE a.key STARTS WITH $prefix DELETE a', {
    prefix: `graph:${universe.suffix}-`,
  });
}

/** Delivers batches by so many consumers at once; a batch holds the newest of its events for each aggregate, as the consumer makes it. */
async function deliver(batches: readonly (readonly ModelEvent[])[], consumers: number): Promise<void> {
  const queue = batches.values();
  const consumer = async () => {
    for (const batch of queue) {
      const newest = new Map<string, ModelEvent>();
      for (const event of batch)
        if ((newest.get(event.key)?.position ?? '') < event.position) newest.set(event.key, event);
      const results = new Map();
      await applyBatch([...newest.values()], ports, results);
      for (const [key, result] of results)
        if (!['applied', 'superseded'].includes(result.outcome)) throw new Error(`${key}: ${JSON.stringify(result)}`);
    }
  };
  await Promise.all(Array.from({ length: consumers }, consumer));
}

/** A history, and how it is delivered: shuffled, with duplicates, in batches of one size. */
const deliveries = randomHistory(universe, 24).chain((history) =>
  fc.record({
    history: fc.constant(history),
    order: fc
      .tuple(fc.shuffledSubarray([...history], { minLength: history.length }), fc.subarray([...history]))
      .map(([all, again]) => [...all, ...again]),
    batchSize: fc.integer({ min: 1, max: 12 }),
    consumers: fc.constantFrom(1, 2, 4, 8),
  }),
);

it('converges to the model under any order, duplication, batching and number of consumers', {
  timeout: 600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(deliveries, async ({ history, order, batchSize, consumers }) => {
      await clear();
      await deliver(inChunks(order, batchSize), consumers);
      const found = await readGraph(driver, database, keys);
      const expected = expectedGraph(history);
      expect([...found.nodes].sort()).toStrictEqual([...expected.nodes].sort());
      expect([...found.relationships].sort()).toStrictEqual([...expected.relationships].sort());
    }),
    {
      numRuns: histories,
      endOnFailure: true,
      ...(process.env.OUTGRAPH_SEED === undefined ? {} : { seed: Number(process.env.OUTGRAPH_SEED) }),
    },
  );
});
