/**
 * The core promise of the contract as a property: the graph in Neo4j equals the model, regardless
 * of how deliveries are ordered, duplicated, batched, interleaved or aborted, and of other clients
 * that write to the graph.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Driver } from 'neo4j-driver';
import type { GraphPorts } from '../../lib/graph/ports.ts';
import { joinGraph } from '../../lib/graph/wiring.ts';
import { removeTombstones } from '../../lib/sweep/neo4j-tombstones.ts';
import {
  expectedGraph,
  type ForeignData,
  type GraphPicture,
  type ModelEvent,
  newestEvents,
} from '../../lib/testing/expected-graph.ts';
import { clearGraph } from '../support/clear-graph.ts';
import { readGraph } from '../support/model/read-graph.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import { type DeliveryPlan, deliver } from './deliver.ts';
import { attachForeign, createForeign, type FaultPlan, makeFaults } from './disturb.ts';
import {
  aggregatePrefix,
  foreignBefore,
  randomForeignRelationships,
  randomHistory,
  type Universe,
  universeKeys,
} from './random-history.ts';

/** A Neo4j server, reached both directly and through a proxy that cuts connections. */
export interface ConvergenceServers {
  readonly direct: Driver;
  /** A driver that does not retry: the queue redelivers instead. */
  readonly throughProxy: Driver;
  readonly proxy: TcpProxy;
  readonly database: string;
}

/** Approximate numbers of elements per transaction: one aggregate at a time, a few, or all. */
const transactionSizes = [1, 5, 20_000] as const;

/** One random case. */
export interface Case {
  readonly history: readonly ModelEvent[];
  readonly plan: DeliveryPlan;
  /** Null if nothing is aborted. */
  readonly faults: FaultPlan | null;
  readonly foreign: ForeignData['relationships'];
}

/** Random cases. `events` is the length of a history before its conflicts are resolved. */
export function randomCase(universe: Universe, events: number): fc.Arbitrary<Case> {
  return randomHistory(universe, events).chain((history) => {
    const indexes = history.map((_, index) => index);
    return fc.record({
      history: fc.constant(history),
      plan: fc.record({
        order: fc
          .tuple(fc.shuffledSubarray(indexes, { minLength: indexes.length }), fc.subarray(indexes))
          .map(([all, again]) => [...all, ...again]),
        batchSize: fc.integer({ min: 1, max: 12 }),
        consumers: fc.integer({ min: 1, max: 8 }),
        chunkEvents: fc.constantFrom(1, 3, 1_000),
        transactionElements: fc.constantFrom(...transactionSizes),
        again: fc.oneof(fc.constant([]), fc.subarray(indexes)),
      }),
      faults: fc.option(
        fc.record({
          cuts: fc.array(fc.nat(20_000), { maxLength: 3 }),
          terminations: fc.array(fc.nat(30), { maxLength: 3 }),
        }),
        { freq: 2 },
      ),
      foreign: randomForeignRelationships(universe),
    });
  });
}

/** Runs a case in an empty universe. Throws an error that shows the difference if there is one. */
export function createCheck(servers: ConvergenceServers, universe: Universe): (one: Case) => Promise<void> {
  const { direct, throughProxy, proxy, database } = servers;
  const portsBySize = (driver: Driver) =>
    new Map(
      transactionSizes.map((size) => [size as number, joinGraph(driver, database, { transactionElements: size })]),
    );
  const undisturbedPorts = portsBySize(direct);
  const disturbedPorts = portsBySize(throughProxy);
  const before = foreignBefore(universe);

  return async ({ history, plan, faults, foreign }) => {
    await clearUniverse(direct, universe);
    await createForeign(direct, before);
    const attaching = attachForeign(direct, foreign);
    const purged = new Set<string>();
    const faultMaker = faults === null ? undefined : makeFaults(faults, proxy, direct);
    try {
      const graph = (faultMaker === undefined ? undisturbedPorts : disturbedPorts).get(
        plan.transactionElements,
      ) as GraphPorts;
      await deliver(history, plan, graph, async () => {
        for (const key of await purge(direct, database, history, plan)) purged.add(key);
      });
    } finally {
      await Promise.all([attaching.stop(), faultMaker?.stop()]);
    }
    const after = { nodes: before.nodes, relationships: [...before.relationships, ...attaching.made] };
    requireEqual(await readGraph(direct, database, universeKeys(universe)), expectedGraph(history, after));
    await requireRegistry(direct, universe, history, purged);
  };
}

/** Removes everything that histories of a universe have put into the graph. */
export async function clearUniverse(driver: Driver, universe: Universe): Promise<void> {
  await clearGraph(driver, Object.keys(universeKeys(universe)), `graph:${aggregatePrefix(universe)}`);
}

function requireEqual(found: GraphPicture, expected: GraphPicture): void {
  const differences = [
    ...missingFrom(found.nodes, expected.nodes, 'missing'),
    ...missingFrom(expected.nodes, found.nodes, 'unexpected'),
    ...missingFrom(found.relationships, expected.relationships, 'missing'),
    ...missingFrom(expected.relationships, found.relationships, 'unexpected'),
  ];
  if (differences.length > 0) throw new Error(`The graph differs from the model:\n${differences.join('\n')}`);
}

function missingFrom(set: ReadonlySet<string>, texts: ReadonlySet<string>, what: string): readonly string[] {
  return [...texts].filter((text) => !set.has(text)).map((text) => `  ${what}: ${text}`);
}

/**
 * Purges the tombstones of the aggregates whose events are not delivered again. Returns their keys.
 */
async function purge(
  driver: Driver,
  database: string,
  history: readonly ModelEvent[],
  { again }: DeliveryPlan,
): Promise<readonly string[]> {
  const held = new Set(again.map((index) => history[index]?.key));
  const purged = newestEvents(history).filter(({ key, subgraph }) => subgraph === null && !held.has(key));
  await removeTombstones(driver, database, purged);
  return purged.map(({ key }) => key);
}

/**
 * Checks that the registry holds the newest position of each aggregate, a deletion time for exactly
 * the deleted ones, and nothing else.
 */
async function requireRegistry(
  driver: Driver,
  universe: Universe,
  history: readonly ModelEvent[],
  purged: ReadonlySet<string>,
): Promise<void> {
  const { records } = await driver.executeQuery(
    `MATCH (a:OutgraphAggregate) WHERE a.key STARTS WITH $prefix
     RETURN a.key AS key, a.position AS position, a.deletedAt IS NOT NULL AS deleted,
       [name IN keys(a) WHERE NOT name IN ['key', 'position', 'manifest', 'deletedAt', '_outgraphLock']] AS others`,
    { prefix: `graph:${aggregatePrefix(universe)}` },
  );
  const kept = newestEvents(history).filter(({ key }) => !purged.has(key));
  const expected = kept.map(({ key, position, subgraph }) => ({
    key,
    position,
    deleted: subgraph === null,
    others: [],
  }));
  const found = records.map((record) => record.toObject());
  const byKey = (left: { key: string }, right: { key: string }) => (left.key < right.key ? -1 : 1);
  const pair = [found as unknown as typeof expected, expected].map((list) => [...list].sort(byKey));
  if (!isDeepStrictEqual(pair[0], pair[1]))
    throw new Error(`The registry differs:\n found ${JSON.stringify(pair[0])}\n expected ${JSON.stringify(pair[1])}`);
}
