import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fault } from '../../../lib/contract/fault.ts';
import { toPosition } from '../../../lib/contract/position.ts';
import type { AggregateState, TransactionOutcome } from '../../../lib/graph/aggregate-state.ts';
import { type ApplyPorts, applyBatch, type BatchResults } from '../../../lib/graph/apply-batch.ts';
import type { Conflict } from '../../../lib/graph/conflict.ts';

const states = (count: number): AggregateState[] =>
  Array.from({ length: count }, (_, index) => ({
    key: `graph:${index}`,
    position: toPosition({ t: 1, i: index }),
    subgraph: null,
  }));

const calmSchema: Omit<ApplyPorts, 'applyStates'> = {
  checkSchema: async (needs) => needs.map(() => undefined),
  createSchema: async () => undefined,
  answers: async () => true,
};

/** A graph that refuses any batch with a culprit, and counts transactions and applied states. */
function refusingGraph(culprits: ReadonlySet<string>) {
  const applied: string[] = [];
  let transactions = 0;
  const ports: ApplyPorts = {
    ...calmSchema,
    applyStates: async (batch): Promise<TransactionOutcome> => {
      transactions += 1;
      if (batch.some((state) => culprits.has(state.key))) throw new Fault('constraint-violation', 'refused');
      applied.push(...batch.map((state) => state.key));
      return { outcome: 'committed', states: batch.map(({ key }) => ({ key, outcome: 'applied' })) };
    },
  };
  return { ports, applied, transactions: () => transactions };
}

async function run(batch: readonly AggregateState[], ports: ApplyPorts): Promise<BatchResults> {
  const results: BatchResults = new Map();
  await applyBatch(batch, ports, results);
  return results;
}

describe('a batch that the graph refuses', () => {
  it('is bisected to exactly its culprits, and all others are applied once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 200 }),
        fc.array(fc.nat(199), { maxLength: 8 }),
        async (count, indexes) => {
          const culprits = new Set(indexes.filter((index) => index < count).map((index) => `graph:${index}`));
          const graph = refusingGraph(culprits);
          const results = await run(states(count), graph.ports);
          const refused = [...results].filter(([, result]) => result.outcome === 'refused').map(([key]) => key);
          expect(new Set(refused)).toStrictEqual(culprits);
          expect(graph.applied).toHaveLength(count - culprits.size);
        },
      ),
    );
  });

  it.each([1, 3, 50])('takes no more than 2k·(log2(n/k) + 1) + 1 transactions: k = %i of 1,000', async (k) => {
    const culprits = new Set(
      Array.from({ length: k }, (_, index) => `graph:${Math.floor(((index + 0.5) * 1000) / k)}`),
    );
    const graph = refusingGraph(culprits);
    await run(states(1000), graph.ports);
    expect(graph.transactions()).toBeLessThanOrEqual(2 * k * (Math.log2(1000 / k) + 1) + 1);
  });
});

describe('a batch during an outage', () => {
  it('throws, and keeps what was committed before', async () => {
    const graph = refusingGraph(new Set(['graph:3']));
    let calls = 0;
    const failing: ApplyPorts = {
      ...graph.ports,
      answers: async () => false,
      applyStates: async (batch) => {
        calls += 1;
        if (calls === 4) throw new Fault('neo4j-unavailable', 'gone');
        return graph.ports.applyStates(batch);
      },
    };
    const results: BatchResults = new Map();
    await expect(applyBatch(states(4), failing, results)).rejects.toMatchObject({ code: 'neo4j-unavailable' });
    expect([...results.keys()]).toStrictEqual(['graph:0', 'graph:1', 'graph:2']);
  });
});

describe('a batch that fails while the graph answers', () => {
  /** A graph that fails with a given fault for some states, and applies the others. */
  function failingGraph(culprits: ReadonlyMap<string, Fault>) {
    const graph = refusingGraph(new Set());
    const ports: ApplyPorts = {
      ...graph.ports,
      applyStates: async (batch) => {
        const fault = batch.map(({ key }) => culprits.get(key)).find((one) => one !== undefined);
        if (fault !== undefined) throw fault;
        return graph.ports.applyStates(batch);
      },
    };
    return { ports, applied: graph.applied };
  }
  const unavailable = new Fault('neo4j-unavailable', 'Neo4j did not answer as it should.');

  it('is bisected to the states that fail, even if the error looks like an outage', async () => {
    const graph = failingGraph(new Map([['graph:3', unavailable]]));
    const results = await run(states(100), graph.ports);
    expect(results.get('graph:3')).toStrictEqual({ outcome: 'failed', fault: unavailable });
    expect(graph.applied).toHaveLength(99);
  });

  it('fails as a whole if nothing can be applied', async () => {
    const all = new Map(states(100).map(({ key }) => [key, unavailable]));
    const results: BatchResults = new Map();
    await expect(applyBatch(states(100), failingGraph(all).ports, results)).rejects.toBe(unavailable);
    expect(results.size).toBeLessThanOrEqual(3);
  });

  it('is not bisected if the credentials are refused', async () => {
    const refusal = new Fault('credentials-refused', 'no');
    const results: BatchResults = new Map();
    const graph = failingGraph(new Map([['graph:3', refusal]]));
    await expect(applyBatch(states(100), graph.ports, results)).rejects.toBe(refusal);
    expect(graph.applied).toStrictEqual([]);
  });
});

it('states without new labels are applied before constraints are created for the others', async () => {
  const order: string[] = [];
  const ports: ApplyPorts = {
    ...calmSchema,
    checkSchema: async (needs) => needs.map((_, index) => (index === 0 ? 'missing' : undefined)),
    createSchema: async () => void order.push('created'),
    applyStates: async (batch) => {
      order.push(...batch.map(({ key }) => key));
      return { outcome: 'committed', states: batch.map(({ key }) => ({ key, outcome: 'applied' })) };
    },
  };
  await run(states(3), ports);
  expect(order).toStrictEqual(['graph:1', 'graph:2', 'created', 'graph:0']);
});

describe('a batch with a conflict', () => {
  it('sets aside the refused claims and applies the rest', async () => {
    const conflict: Conflict = {
      code: 'ownership-conflict',
      refused: 'graph:1',
      holder: 'graph:9',
      element: 'A {id: 1}',
      sharedNode: null,
      heldInGraph: true,
    };
    const ports: ApplyPorts = {
      ...calmSchema,
      applyStates: async (batch) =>
        batch.some((state) => state.key === 'graph:1')
          ? { outcome: 'conflict', conflicts: [conflict] }
          : { outcome: 'committed', states: batch.map(({ key }) => ({ key, outcome: 'applied' })) },
    };
    const results = await run(states(3), ports);
    expect(Object.fromEntries(results)).toStrictEqual({
      'graph:0': { outcome: 'applied' },
      'graph:1': { outcome: 'conflict', conflict },
      'graph:2': { outcome: 'applied' },
    });
  });
});

it('an aggregate with another key for a label is refused before any transaction', async () => {
  const graph = refusingGraph(new Set());
  const results = await run(states(2), {
    ...graph.ports,
    checkSchema: async () => [{ code: 'key-mismatch', message: 'keyed otherwise' }, undefined],
  });
  expect(results.get('graph:0')).toMatchObject({ outcome: 'refused', code: 'key-mismatch' });
  expect(graph.applied).toStrictEqual(['graph:1']);
});
