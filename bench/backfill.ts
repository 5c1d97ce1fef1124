/**
 * Compares a first load straight to the graph with a hand-written one: the same documents, read
 * with a cursor and written raw, in batches of the same size.
 */
import type { Document } from 'mongodb';
import { z } from 'zod';
import { backfillIntoGraph } from '../cli/backfill/wiring.ts';
import { withoutSource } from '../lib/contract/registry-keys.ts';
import { defineAggregate, documentId } from '../lib/projection/define-aggregate.ts';
import type { Servers } from '../tools/local/servers.ts';
import { ApplyBench } from './apply.ts';
import { BenchOutbox } from './bench-outbox.ts';
import { compare } from './compare.ts';
import { againstFirst, type Benchmark, type Figure } from './figure.ts';
import { type SymbolGraph, type SymbolRow, symbolRows } from './symbols.ts';

const documentsPerRound = 10_000;
const batchSize = 1_000;

/**
 * Inserts the documents of one round. Raw and outgraph write different labels, so both may read the
 * same documents.
 */
async function insertDocuments({ db }: BenchOutbox, collection: string): Promise<void> {
  const rows = symbolRows(collection, documentsPerRound).map(({ id, ...rest }) => ({ _id: id, ...rest }));
  await db.collection<{ _id: string }>(collection).insertMany(rows);
}

const rowOf = ({ _id, file, properties }: Document): SymbolRow => ({ id: _id, file, properties });

function definitionOf(graph: SymbolGraph, collection: string) {
  return defineAggregate({
    type: 'symbol',
    collection,
    id: documentId,
    payload: z.custom<Document>(),
    project: (document) => graph.subgraph(rowOf(document)),
  });
}

/** Loads the documents as hand-written code would. */
async function loadRaw({ db }: BenchOutbox, apply: ApplyBench, collection: string): Promise<number> {
  let rows: SymbolRow[] = [];
  const documents = db.collection(collection).find({}, { batchSize, useBigInt64: true });
  for await (const document of documents) {
    rows.push(rowOf(document));
    if (rows.length < batchSize) continue;
    await apply.applyRaw(rows);
    rows = [];
  }
  return documentsPerRound;
}

async function loadDirectly({ db, graph }: BenchOutbox, apply: ApplyBench, collection: string): Promise<number> {
  const { applied } = await backfillIntoGraph(
    { db, driver: apply.driver, database: 'neo4j', keys: withoutSource },
    definitionOf(graph, collection),
    { concurrency: 3, maxPending: 5_000, transactionSeconds: 120 },
    { ratePerSecond: Number.MAX_SAFE_INTEGER, signal: new AbortController().signal, progress: () => undefined },
    { waiting: () => undefined, unavailable: () => undefined, unrecordable: () => undefined },
  );
  if (applied !== documentsPerRound) throw new Error(`Only ${applied} documents were applied.`);
  return applied;
}

export const backfillBenchmark: Benchmark = {
  name: 'backfill',
  needs: ['mongodb', 'neo4j'],
  run: (servers: Servers): Promise<readonly Figure[]> =>
    BenchOutbox.with(servers, async (outbox) => {
      const apply = await new ApplyBench(servers, outbox.graph).setUp();
      const result = await compare(
        [
          {
            name: 'raw, by hand',
            prepare: (round) => insertDocuments(outbox, `raw_${round}`),
            run: (round) => loadRaw(outbox, apply, `raw_${round}`),
          },
          {
            name: 'backfill --direct',
            prepare: (round) => insertDocuments(outbox, `direct_${round}`),
            run: (round) => loadDirectly(outbox, apply, `direct_${round}`),
          },
        ],
        { rounds: 10, warmUp: 5 },
      );
      await apply.driver.close();
      return [
        againstFirst(result, {
          figure: 'backfill --direct of 10,000 documents, against a cursor and raw batches',
          goal: null,
          unit: 'documents/s',
        }),
      ];
    }),
};
