/**
 * A script as a team writes it for itself: reads the collection's change stream, writes raw batches,
 * and keeps its place in MongoDB.
 */
import { type ChangeStreamDocument, MongoClient } from 'mongodb';
import neo4j from 'neo4j-driver';
import { readOrder } from './order.ts';
import { type Change, RawGraph } from './raw-graph.ts';
import { databaseOf, type SymbolDocument, symbolsCollection } from './symbols.ts';

const maxChanges = 1_000;

const { peer, mongodbUri, neo4jUri } = readOrder();
const db = new MongoClient(mongodbUri).db(databaseOf(peer));
const graph = new RawGraph(neo4j.driver(neo4jUri), peer);
const places = db.collection<{ _id: string; token: unknown }>('places');

const place = await places.findOne({ _id: 'stream' });
const stream = db.collection<SymbolDocument>(symbolsCollection).watch([], {
  fullDocument: 'updateLookup',
  batchSize: maxChanges,
  ...(place !== null && { resumeAfter: place.token }),
});
let reading: Promise<ChangeStreamDocument<SymbolDocument>> | undefined;
for (;;) {
  let last = await read();
  const changes = changeOf(last);
  while (changes.length < maxChanges) {
    const buffered = await read(new Promise<null>((done) => setImmediate(done, null)));
    if (buffered === null) break;
    last = buffered;
    changes.push(...changeOf(buffered));
  }
  await graph.apply(changes);
  await places.updateOne({ _id: 'stream' }, { $set: { token: last._id } }, { upsert: true });
}

/** The next change; null if `otherwise` is there first. */
async function read<Otherwise = never>(otherwise?: Promise<Otherwise>) {
  reading ??= stream.next();
  const read = await (otherwise === undefined ? reading : Promise.race([reading, otherwise]));
  if (read !== null) reading = undefined;
  return read;
}

function changeOf(change: ChangeStreamDocument<SymbolDocument>): Change[] {
  if (change.operationType === 'delete') return [{ id: change.documentKey._id, document: null }];
  if (change.operationType !== 'insert' && change.operationType !== 'update') return [];
  // Absent if the document was deleted since.
  const { fullDocument } = change;
  return fullDocument ? [{ id: change.documentKey._id, document: fullDocument }] : [];
}
