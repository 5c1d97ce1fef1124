/**
 * A direct backfill with concurrent writers, a consumer that delivers late and repeatedly, and a
 * clock that jumps, in random interleavings: in the end the graph matches the documents.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { DocumentsRead } from '../../../cli/backfill/backfill-chunk.ts';
import { backfillDirectly, type DirectPorts } from '../../../cli/backfill/backfill-directly.ts';
import { fromPosition, type Position, toPosition } from '../../../lib/contract/position.ts';
import { type AggregateState, supersedes } from '../../../lib/graph/aggregate-state.ts';
import { readSubgraph } from '../../../lib/projection/read-subgraph.ts';

/** The longest time of a transaction in this world. */
const transactionSeconds = 120;
const ids = [0, 1, 2, 3];
const keyOf = (id: number) => `thing:${id}`;
const subgraphOf = (value: number) =>
  readSubgraph({ nodes: [{ label: 'Thing', key: { id: 1 }, properties: { value } }] });

/** A model of MongoDB and the graph, as far as it matters here. */
class World {
  #time = { t: 1_000_000, i: 1 };
  readonly documents = new Map<number, number>();
  readonly events: AggregateState[] = [];
  readonly graph = new Map<string, AggregateState>();
  readonly #locked = new Set<number>();

  now(): Position {
    this.#time.i += 1;
    return toPosition(this.#time);
  }

  pass(seconds: number): void {
    this.#time = { t: this.#time.t + seconds, i: 1 };
  }

  /** Applies a state unless the graph has a newer one. */
  apply(state: AggregateState): 'applied' | 'superseded' {
    if (!supersedes(state, this.graph.get(state.key)?.position)) return 'superseded';
    this.graph.set(state.key, state);
    return 'applied';
  }

  /**
   * A transaction: its event gets its position before it commits. The server aborts it if it takes
   * too long.
   */
  async write(id: number, value: number | null, step: () => Promise<void>): Promise<void> {
    if (this.#locked.has(id)) return;
    this.#locked.add(id);
    await step();
    const position = this.now();
    await step();
    const seconds = fromPosition(this.now()).t - fromPosition(position).t;
    if (seconds <= transactionSeconds) {
      if (value === null) this.documents.delete(id);
      else this.documents.set(id, value);
      this.events.push({ key: keyOf(id), position, subgraph: value === null ? null : subgraphOf(value) });
    }
    this.#locked.delete(id);
  }

  /** The state of each document in the graph, as text. */
  graphText(): string {
    const values = ids.map((id) => this.graph.get(keyOf(id))?.subgraph?.nodes[0]?.properties.value ?? null);
    return values.map(String).join();
  }

  documentsText(): string {
    return ids.map((id) => String(this.documents.get(id) ?? null)).join();
  }
}

function portsOn(world: World, step: () => Promise<void>): DirectPorts<number> {
  const read = async (wanted: () => readonly number[]): Promise<DocumentsRead<number>> => {
    const committedUntil = world.now();
    await step();
    const documents = wanted().map((id) => ({
      id,
      aggregateId: `${id}`,
      subgraph: subgraphOf(world.documents.get(id) ?? 0),
    }));
    return { documents, committedUntil, readAtMillis: 0 };
  };
  const idsInOrder = () => [...world.documents.keys()].sort();
  return {
    readProgress: async () => null,
    saveProgress: step,
    readClusterTime: async () => world.now(),
    listDocuments: (after, limit) =>
      read(() =>
        idsInOrder()
          .filter((id) => after === null || id > after.id)
          .slice(0, limit),
      ),
    readAgain: (some) => read(() => some.filter((id) => world.documents.has(id))),
    applyBatch: async (states, results) => {
      await step();
      for (const state of states) results.set(state.key, { outcome: world.apply(state) });
    },
    recordCurrentStates: () => Promise.reject(new Error('Nothing may go through the outbox here.')),
    countPending: async () => 0,
    nowMillis: () => 0,
    pace: async () => undefined,
    sleep: async () => undefined,
    isInterrupted: () => false,
    progress: () => undefined,
    log: { waiting: () => undefined, unavailable: () => undefined, unrecordable: () => undefined },
  };
}

const writes = fc.array(fc.tuple(fc.constantFrom(...ids), fc.option(fc.nat(99), { freq: 3 })), { maxLength: 8 });
const deliveries = fc.array(fc.nat(), { maxLength: 10 });
const pauses = fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 6 });

/** `marginSeconds`: the longest transaction that the backfill assumes. */
function convergence(marginSeconds: number) {
  return fc.asyncProperty(
    fc.scheduler(),
    fc.tuple(writes, writes, writes),
    deliveries,
    pauses,
    async (s, writers, picks, seconds) => {
      const world = new World();
      for (const id of ids.slice(0, 3)) world.documents.set(id, 100 + id);
      const step = () => s.schedule(Promise.resolve());
      const write = async (some: (typeof writers)[0]) => {
        for (const [id, value] of some) {
          await step();
          await world.write(id, value, step);
        }
      };
      const deliver = async () => {
        for (const pick of picks) {
          await step();
          const event = world.events[pick % world.events.length];
          if (event !== undefined) world.apply(event);
        }
      };
      const passTime = async () => {
        for (const some of seconds) {
          await step();
          world.pass(some);
        }
      };
      const options = { aggregateType: 'thing', transactionSeconds: marginSeconds, maxPending: 1 };
      const backfilling = () =>
        backfillDirectly(portsOn(world, step), { ...options, chunkDocuments: 2, concurrency: 2 });
      const all = [...writers.map(write), deliver(), passTime(), backfilling(), backfilling()];
      await s.waitFor(Promise.all(all));
      // At-least-once delivery: everything not yet delivered arrives now, and the rest once more.
      for (const event of [...world.events].reverse()) world.apply(event);
      expect(world.graphText()).toBe(world.documentsText());
    },
  );
}

it('the graph matches the documents in any order of writes, deliveries and backfill steps', {
  timeout: 120_000,
}, async () => {
  await fc.assert(convergence(transactionSeconds), { numRuns: 2_000 });
});

it('assuming half the transaction time loses writes, because positions precede commits', {
  timeout: 120_000,
}, async () => {
  const { failed } = await fc.check(convergence(transactionSeconds / 2), { numRuns: 20_000, endOnFailure: true });
  expect(failed).toBe(true);
});
