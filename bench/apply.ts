/**
 * Compares the apply with hand-written code: raw batches of `UNWIND … MERGE … SET`, and one
 * auto-commit transaction per event.
 */
import type { Driver } from 'neo4j-driver';
import pMap from 'p-map';
import { type Position, toPosition } from '../lib/contract/position.ts';
import type { AggregateState } from '../lib/graph/aggregate-state.ts';
import { applyStates } from '../lib/graph/neo4j-apply-states.ts';
import { createSchemaPorts } from '../lib/graph/neo4j-ensure-schema.ts';
import { readSubgraph } from '../lib/projection/read-subgraph.ts';
import { inChunks } from '../lib/runtime/in-chunks.ts';
import { setUpGraph } from '../lib/set-up/neo4j-graph.ts';
import { connectGraph } from '../test/support/connect-graph.ts';
import { testOutboxId } from '../test/support/outbox-id.ts';
import type { Servers } from '../tools/local/servers.ts';
import { catalog } from '../xmem/catalog.ts';
import { compare, type Rate } from './compare.ts';
import { againstFirst, type Benchmark, type Figure } from './figure.ts';
import { SymbolGraph, type SymbolRow, symbolRows } from './symbols.ts';

const database = 'neo4j';
const batchSize = 1_000;

/** Shared by the benchmarks of the apply: a driver and a separate graph. */
export class ApplyBench {
  readonly driver: Driver;
  readonly graph: SymbolGraph;
  #second = 1;

  constructor(servers: Servers, graph = new SymbolGraph()) {
    this.graph = graph;
    this.driver = connectGraph(servers);
  }

  async setUp(): Promise<this> {
    await setUpGraph(this.driver, database, catalog, testOutboxId);
    const problem = await createSchemaPorts(this.driver, database, Date.now).createSchema(this.graph);
    if (problem !== undefined) throw new Error(problem.message);
    return this;
  }

  position(): Position {
    this.#second += 1;
    return toPosition({ t: this.#second, i: 1 });
  }

  states(rows: readonly SymbolRow[]): readonly AggregateState[] {
    const position = this.position();
    return rows.map((row) => this.graph.state(row, position));
  }

  async apply(states: readonly AggregateState[]): Promise<void> {
    await applyStates(this.driver, database, states);
  }

  async applyRaw(rows: readonly SymbolRow[]): Promise<void> {
    await this.write(this.graph.rawStatement, rows);
  }

  /** One auto-commit transaction per event. */
  async applyRows(rows: readonly SymbolRow[]): Promise<void> {
    const session = this.driver.session({ database });
    for (const row of rows) await session.run(this.graph.rawStatement, { rows: [row] });
    await session.close();
  }

  /** One statement in one transaction. */
  async write(statement: string, rows: readonly object[]): Promise<void> {
    const session = this.driver.session({ database });
    await session.executeWrite((tx) => tx.run(statement, { rows }));
    await session.close();
  }
}

/** Applies new aggregates in batches of 1,000, and then the same events again. */
export const applyBenchmark: Benchmark = {
  name: 'apply',
  needs: ['neo4j'],
  run: async (servers) => {
    const bench = await new ApplyBench(servers).setUp();
    let states: readonly AggregateState[] = [];
    const perRowCount = 200;
    const result = await compare(
      [
        { name: 'raw', run: (round) => bench.applyRaw(symbolRows(`raw${round}`, batchSize)).then(() => batchSize) },
        {
          name: 'outgraph',
          prepare: async (round) => {
            states = bench.states(symbolRows(`o${round}`, batchSize));
          },
          run: () => bench.apply(states).then(() => batchSize),
        },
        { name: 'replay', run: () => bench.apply(states).then(() => batchSize) },
        {
          name: 'per row',
          run: (round) => bench.applyRows(symbolRows(`row${round}`, perRowCount)).then(() => perRowCount),
        },
      ],
      { rounds: 20, warmUp: 40 },
    );
    await bench.driver.close();
    const [raw, outgraph, replay, perRow] = result.rates as [Rate, Rate, Rate, Rate];
    const [, fresh, again] = result.ratios as [Rate, Rate, Rate];
    return [
      {
        figure: 'apply, batch 1000, fresh, against raw',
        ratio: fresh,
        goal: 0.85,
        rates: [outgraph, raw],
        unit: 'events/s',
      },
      {
        figure: 'apply, batch 1000, against per-row',
        ratio: {
          name: 'outgraph',
          median: outgraph.median / perRow.median,
          low: outgraph.low / perRow.high,
          high: outgraph.high / perRow.low,
        },
        goal: 150,
        rates: [outgraph, perRow],
        unit: 'events/s',
      },
      {
        figure: 'replay of applied events, against raw',
        ratio: again,
        goal: 2.5,
        rates: [replay, raw],
        unit: 'events/s',
      },
    ];
  },
};

/**
 * Updates one element of an aggregate with 200 elements: alone, and in batches of twenty such
 * aggregates.
 */
export const updateBenchmark: Benchmark = {
  name: 'update',
  needs: ['neo4j'],
  run: async (servers) => {
    const bench = await new ApplyBench(servers).setUp();
    const figures: Figure[] = [];
    for (const { aggregates: count, goal } of [
      { aggregates: 20, goal: 10 },
      { aggregates: 1, goal: null },
    ]) {
      figures.push(await compareUpdates(bench, count, goal));
    }
    await bench.driver.close();
    return figures;
  },
};

const elements = 200;

async function compareUpdates(bench: ApplyBench, count: number, goal: number | null): Promise<Figure> {
  const batch = Array.from({ length: count }, (_, aggregate) => aggregate);
  const rowsOf = (round: number, aggregate: number) =>
    symbolRows(`u${count}-${aggregate}`, elements).map((row, index) =>
      index === 0 ? { ...row, properties: { ...row.properties, revision: `round ${round}` } } : row,
    );
  const stateOf = (round: number, aggregate: number): AggregateState => ({
    key: `graph:${bench.graph.aggregateId(`large-${count}-${aggregate}`)}`,
    position: bench.position(),
    subgraph: readSubgraph({
      nodes: rowsOf(round, aggregate).map(({ id, properties }) => ({
        label: bench.graph.label('Symbol'),
        key: { id },
        properties,
      })),
    }),
  });
  const statement = `UNWIND $rows AS row MERGE (s:${bench.graph.label('RawSymbol')} {id: row.id}) SET s = row.all`;
  let states: readonly AggregateState[] = [];
  let rows: readonly object[] = [];
  const result = await compare(
    [
      {
        name: 'raw, all 200',
        prepare: async (round) => {
          rows = batch.flatMap((aggregate) =>
            rowsOf(round, aggregate).map(({ id, properties }) => ({ id, all: { id, ...properties } })),
          );
        },
        run: () => bench.write(statement, rows).then(() => count),
      },
      {
        name: 'outgraph, only the changed one',
        prepare: async (round) => {
          states = batch.map((aggregate) => stateOf(round, aggregate));
        },
        run: () => bench.apply(states).then(() => count),
      },
    ],
    { rounds: 40, warmUp: 60 },
  );
  const aggregates = count === 1 ? '1 aggregate' : `${count} aggregates`;
  return againstFirst(result, {
    figure: `update of one of 200 elements, ${aggregates} at once, against rewriting all of them raw`,
    goal,
    unit: 'updates/s',
  });
}

/**
 * Compares four consumers with one: on aggregates that share nothing, and on aggregates that all
 * share one endpoint.
 */
export const concurrencyBenchmark: Benchmark = {
  name: 'concurrency',
  needs: ['neo4j'],
  run: async (servers) => {
    const bench = await new ApplyBench(servers).setUp();
    const figures: Figure[] = [];
    for (const { figure, goal, shared } of [
      { figure: 'four consumers against one, disjoint aggregates', goal: 1.3, shared: false },
      { figure: 'four consumers against one, all sharing one endpoint', goal: 0.7, shared: true },
    ]) {
      let batches: readonly (readonly AggregateState[])[] = [];
      const prepare = (name: string) => async (round: number) => {
        const rows = symbolRows(`${name}${shared}${round}`, 4 * batchSize);
        batches = inChunks(bench.states(shared ? rows.map((row) => ({ ...row, file: 'hot' })) : rows), batchSize);
      };
      const consume = async (consumers: number) => {
        await pMap(batches, (batch) => bench.apply(batch), { concurrency: consumers });
        return 4 * batchSize;
      };
      const result = await compare(
        [
          { name: 'one', prepare: prepare('one'), run: () => consume(1) },
          { name: 'four', prepare: prepare('four'), run: () => consume(4) },
        ],
        { rounds: 10, warmUp: 8 },
      );
      figures.push(againstFirst(result, { figure, goal, unit: 'events/s' }));
    }
    await bench.driver.close();
    return figures;
  },
};
