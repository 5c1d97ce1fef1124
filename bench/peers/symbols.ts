/**
 * What every peer keeps in step: documents of symbols of a code base, each a node with a
 * relationship to the node of its file. Each peer has labels and a database of its own.
 */
import { z } from 'zod';
import { defineAggregate, documentId } from '../../lib/projection/define-aggregate.ts';

/**
 * - `outgraph`: the worker.
 * - `kafka`: Debezium's connector on Kafka Connect, Kafka, and a sink that writes raw batches.
 * - `stream`: a script that reads the change stream and writes raw batches.
 * - `dual`: the service writes the document and then the graph.
 */
export const peerNames = ['outgraph', 'kafka', 'stream', 'dual'] as const;
export type PeerName = (typeof peerNames)[number];

export interface SymbolDocument {
  readonly _id: string;
  /** Names the documents of one measurement. */
  readonly round: string;
  /** Documents of a batch are written and changed together. */
  readonly batch: number;
  readonly name: string;
  readonly file: string;
  /** Number of changes so far. */
  readonly revision: number;
}

export const symbolsCollection = 'symbols';

/** The database of a peer's documents. */
export const databaseOf = (peer: PeerName) => `peers_${peer}`;

/** The labels and the relationship type of a peer. */
export function namesOf(peer: PeerName): Readonly<Record<'symbol' | 'file' | 'definedIn', string>> {
  return { symbol: `Symbol_${peer}`, file: `File_${peer}`, definedIn: `DEFINED_IN_${peer}` };
}

export const batchSize = 100;
const files = 50;

export const fileOf = (batch: number) => `file-${batch % files}`;

export function symbolsOf(round: string, batch: number, count = batchSize): SymbolDocument[] {
  return Array.from({ length: count }, (_, index) => ({
    _id: `${round}-${batch}-${index}`,
    round,
    batch,
    name: `symbol ${index} of batch ${batch}`,
    file: fileOf(batch),
    revision: 0,
  }));
}

const { symbol, file, definedIn } = namesOf('outgraph');

/** The projection of outgraph. */
export const symbolAggregate = defineAggregate({
  type: 'symbol',
  collection: symbolsCollection,
  id: documentId,
  payload: z.object({ round: z.string(), name: z.string(), file: z.string(), revision: z.int() }),
  declares: { labels: { [symbol]: ['id'], [file]: ['id'] }, types: [definedIn] },
  project: ({ file: fileId, ...properties }, id) => ({
    nodes: [{ label: symbol, key: { id }, properties }],
    relationships: [
      { type: definedIn, from: { label: symbol, key: { id } }, to: { label: file, key: { id: fileId } } },
    ],
  }),
});
