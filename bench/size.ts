/** Compares the rate of the apply in a large graph with the rate in one of ten thousand aggregates. */
import { randomInt } from 'node:crypto';
import pMap from 'p-map';
import type { AggregateState } from '../lib/graph/aggregate-state.ts';
import { inChunks } from '../lib/runtime/in-chunks.ts';
import { ApplyBench } from './apply.ts';
import { compare, type Rate } from './compare.ts';
import type { Benchmark } from './figure.ts';
import { type SymbolRow, symbolRows } from './symbols.ts';

const small = 10_000;
const batchSize = 1_000;

export const sizeBenchmark: Benchmark = {
  name: 'size',
  needs: ['neo4j'],
  run: async (servers, { aggregates }) => {
    const bench = await new ApplyBench(servers).setUp();
    const apply = (rows: readonly SymbolRow[]) => bench.apply(bench.states(rows));
    await fill('aggregates', 0, small, apply);
    await measure(bench, small, 'warm');
    const before = await measure(bench, small, 'small');
    await fill('aggregates', small, aggregates, apply);
    const after = await measure(bench, aggregates, 'large');
    await bench.driver.close();
    const ratio = (name: 'median' | 'low' | 'high') => after.outgraph[name] / before.outgraph.median;
    return [
      {
        figure: `apply with ${aggregates.toLocaleString('en-US')} aggregates in the graph, against 10,000`,
        ratio: { name: 'size', median: ratio('median'), low: ratio('low'), high: ratio('high') },
        goal: 0.9,
        rates: [after.outgraph, before.outgraph, after.raw, before.raw],
        unit: 'events/s',
      },
    ];
  },
};

/** An aggregate that is already in the graph, by its number. */
function existing(index: number): SymbolRow {
  const [row] = symbolRows('existing', 1) as [SymbolRow];
  return { ...row, id: `existing-${index}`, file: `existing-file-${index % 1_000}` };
}

/** Writes rows in batches, two at a time, and reports each hundred thousand. */
export async function fill(
  what: string,
  from: number,
  to: number,
  write: (rows: readonly SymbolRow[]) => Promise<void>,
): Promise<void> {
  for (let start = from; start < to; start += 10 * batchSize) {
    const rows = Array.from({ length: Math.min(10 * batchSize, to - start) }, (_, index) => existing(start + index));
    await pMap(inChunks(rows, batchSize), write, { concurrency: 2 });
    if (start % 100_000 === 0 && start > 0) process.stderr.write(`    ${start} ${what} are in the graph\n`);
  }
}

/**
 * Applies batches in which one half is new and the other changes aggregates from anywhere in the
 * graph. Raw batches alternate with them as the yardstick of the moment.
 */
async function measure(bench: ApplyBench, count: number, name: string): Promise<{ outgraph: Rate; raw: Rate }> {
  let states: readonly AggregateState[] = [];
  const { rates } = await compare(
    [
      {
        name: `raw, beside ${count}`,
        run: (round) => bench.applyRaw(symbolRows(`${name}-raw${round}`, batchSize)).then(() => batchSize),
      },
      {
        name: `with ${count} aggregates`,
        prepare: async (round) => {
          const fresh = symbolRows(`${name}${round}`, batchSize / 2);
          const numbers = new Set<number>();
          while (numbers.size < batchSize / 2) numbers.add(randomInt(count));
          const changed = [...numbers].map((number) => {
            const row = existing(number);
            return { ...row, properties: { ...row.properties, revision: `${name}${round}` } };
          });
          states = bench.states([...fresh, ...changed]);
        },
        run: () => bench.apply(states).then(() => batchSize),
      },
    ],
    { rounds: 30, warmUp: 10 },
  );
  const [raw, outgraph] = rates as [Rate, Rate];
  return { outgraph, raw };
}
