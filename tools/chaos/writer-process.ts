/**
 * A writer of a chaos run, in a separate process: inserts, updates, moves and deletes documents
 * through a tracked collection, in an order drawn from a seed. It prints a line after each commit.
 * What is on such a line is committed, whatever happens to this process or to MongoDB. It runs
 * until it is killed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { MongoClient } from 'mongodb';
import { graph } from '../../lib/projection/graph.ts';
import { trackCollection } from '../../lib/writer/tracked-collection.ts';
import { type HubDocument, hubDocument } from '../../test/support/hub-document.ts';
import type { LedgerLine } from './ledger.ts';

const { MONGODB_URI = '', MONGODB_DATABASE = '', WRITER = '', SEED = '0', PREFIX = '' } = process.env;

/** Documents that all writers change. */
const documentCount = 40;

/** Milliseconds between two writes. */
const pauseMillis = 60;

const client = new MongoClient(MONGODB_URI);
const documents = trackCollection<unknown, HubDocument>(client, client.db(MONGODB_DATABASE), graph);
const write = fc.record({
  operation: fc.constantFrom('insert', 'insert', 'update', 'update', 'move', 'delete'),
  number: fc.nat(documentCount - 1),
  hub: fc.nat(4),
});

for (const [index, one] of fc.sample(write, { seed: Number(SEED), numRuns: 20_000 }).entries()) {
  const stamp = `${WRITER}-${index}`;
  // A failed write may be committed or not, so it is not reported.
  const committed = await writeOne(one, stamp).catch(() => false);
  if (committed)
    report({ stamp, operation: one.operation === 'delete' ? 'delete' : 'upsert', id: `${PREFIX}-${one.number}` });
  await sleep(pauseMillis);
}

/** Whether a document was changed and so an event recorded. */
async function writeOne({ operation, number, hub }: { operation: string; number: number; hub: number }, stamp: string) {
  const stamped = { node: { stamp }, relationship: { stamp } };
  const document = hubDocument(PREFIX, `${PREFIX}-${number}`, { hub, ...stamped });
  const { _id, ...state } = document;
  if (operation === 'delete') return (await documents.deleteOne({ _id })).deletedCount === 1;
  const upsert = operation === 'insert';
  const result = await documents.updateOne({ _id }, { $set: state }, { upsert });
  return result.matchedCount + result.upsertedCount === 1;
}

function report(line: LedgerLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
