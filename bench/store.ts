/** Compares the bytes that an aggregate takes in Neo4j's store with those of a raw row. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { startRestartableNeo4j } from '../tools/local/neo4j.ts';
import { printStep } from '../tools/local/progress.ts';
import type { RestartableServer } from '../tools/local/restartable-server.ts';
import { ApplyBench } from './apply.ts';
import { spread } from './compare.ts';
import type { Benchmark } from './figure.ts';
import { fill } from './size.ts';

/** The store grows evenly, so more rows would not change the bytes of one. */
const rows = 200_000;

export const storeBenchmark: Benchmark = {
  name: 'store',
  needs: [],
  run: async (servers) => {
    const folder = path.join(servers.folder, 'measured-neo4j');
    const { uri, server } = await startRestartableNeo4j(folder, printStep, new AbortController().signal);
    const graph = { neo4jUri: uri, neo4jUsername: null, neo4jPassword: null };
    try {
      const bench = await new ApplyBench({ ...servers, ...graph }).setUp();
      const empty = await storeBytes(folder, server);
      await fill('raw rows', 0, rows, (some) => bench.applyRaw(some));
      const withRaw = await storeBytes(folder, server);
      await fill('aggregates', rows, 2 * rows, (some) => bench.apply(bench.states(some)));
      const withBoth = await storeBytes(folder, server);
      await bench.driver.close();
      const [raw, own] = [(withRaw - empty) / rows, (withBoth - withRaw) / rows];
      return [
        {
          figure: "Neo4j's store for an aggregate, against a raw row (at most)",
          ratio: spread('store', [own / raw]),
          goal: 1.6,
          rates: [spread('outgraph', [own]), spread('raw', [raw])],
          unit: 'bytes',
        },
      ];
    } finally {
      await server.stop();
    }
  },
};

/**
 * The size of the database's files, without its transaction log. Neo4j writes everything to them
 * when it starts; the Community edition has no procedure for it.
 */
async function storeBytes(folder: string, server: RestartableServer): Promise<number> {
  await server.stop();
  await server.start();
  const store = path.join(folder, 'neo4j/data/databases/neo4j');
  const names = await readdir(store, { recursive: true });
  const files = await Promise.all(names.map((name) => stat(path.join(store, name))));
  return files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
}
