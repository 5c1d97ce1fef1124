/** How a service writes its documents, beside each peer. */
import type { Collection, Db, MongoClient } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import pMap from 'p-map';
import { trackCollection } from '../../lib/writer/tracked-collection.ts';
import { RawGraph } from './raw-graph.ts';
import { fileOf, type PeerName, type SymbolDocument, symbolAggregate, symbolsCollection } from './symbols.ts';

/** Writes of documents, each resolved when it is committed. */
export interface Writes {
  readonly insert: (documents: SymbolDocument[]) => Promise<unknown>;
  readonly change: (round: string, batch: number) => Promise<unknown>;
  /** Moves the symbols to another file. */
  readonly move: (round: string, batch: number) => Promise<unknown>;
  readonly remove: (round: string, batch: number) => Promise<unknown>;
}

/** Concurrent writes of a service that writes each document on its own. */
const concurrency = 16;

const changed = { $inc: { revision: 1 } };
const moved = (batch: number) => ({ ...changed, $set: { file: fileOf(batch + 7) } });

/**
 * @param committed called with each document when MongoDB has it, before a service that writes both
 * itself writes the graph.
 */
export function writesOf(
  peer: PeerName,
  client: MongoClient,
  db: Db,
  driver: Driver,
  committed: (documents: readonly SymbolDocument[]) => void,
): Writes {
  if (peer === 'dual') return writeBoth(db.collection(symbolsCollection), new RawGraph(driver, peer), committed);
  const documents =
    peer === 'outgraph'
      ? trackCollection<unknown, SymbolDocument>(client, db, symbolAggregate)
      : db.collection<SymbolDocument>(symbolsCollection);
  return {
    insert: async (all) => {
      await documents.insertMany(all);
      committed(all);
    },
    change: (round, batch) => documents.updateMany({ round, batch }, changed),
    move: (round, batch) => documents.updateMany({ round, batch }, moved(batch)),
    remove: (round, batch) => documents.deleteMany({ round, batch }),
  };
}

/** As a service writes both: the document, and then the graph, which may fail in between. */
function writeBoth(
  documents: Collection<SymbolDocument>,
  graph: RawGraph,
  committed: (documents: readonly SymbolDocument[]) => void,
): Writes {
  const each = async (round: string, batch: number, write: (document: SymbolDocument) => Promise<unknown>) =>
    pMap(await documents.find({ round, batch }).toArray(), write, { concurrency });
  const update = (document: SymbolDocument, change: Partial<SymbolDocument>) => {
    const next = { ...document, revision: document.revision + 1, ...change };
    return documents
      .replaceOne({ _id: document._id }, next)
      .then(() => graph.apply([{ id: next._id, document: next }]));
  };
  return {
    insert: (all) =>
      pMap(
        all,
        async (document) => {
          await documents.insertOne(document);
          committed([document]);
          await graph.apply([{ id: document._id, document }]);
        },
        { concurrency },
      ),
    change: (round, batch) => each(round, batch, (document) => update(document, {})),
    move: (round, batch) =>
      each(round, batch, async (document) => {
        await graph.disconnect(document._id);
        await update(document, { file: fileOf(batch + 7) });
      }),
    remove: (round, batch) =>
      each(round, batch, async ({ _id }) => {
        await documents.deleteOne({ _id });
        await graph.apply([{ id: _id, document: null }]);
      }),
  };
}
