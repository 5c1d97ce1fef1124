/**
 * A writer of a load run, in a separate process. Writes through a tracked collection at a steady
 * rate, whether or not the earlier writes have ended, as independent users would. Four of five
 * writes insert a document, and the fifth changes an earlier document. Each write has its own
 * transaction, or several share one. The process reports when it is ready, starts on request, and
 * reports now and then how many writes are committed.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientSession, MongoClient } from 'mongodb';
import { graph } from '../../lib/projection/graph.ts';
import { trackCollection } from '../../lib/writer/tracked-collection.ts';
import { type HubDocument, hubDocument } from '../../test/support/hub-document.ts';

/** The instructions for a writer. */
export interface WriterOrder {
  readonly mongodbUri: string;
  readonly database: string;
  readonly run: string;
  /** The prefix of the documents' ids. */
  readonly prefix: string;
  readonly rate: number;
  readonly seconds: number;
  /** Documents in one transaction. */
  readonly together: number;
}

/** The lines that it prints, each as JSON. */
export type WriterLine =
  | { readonly say: 'ready' }
  | { readonly say: 'written'; readonly written: number }
  | { readonly say: 'done'; readonly written: number; readonly failed: number; readonly seconds: number };

/** The limit for concurrent writes. A writer that reaches it is too late to hold the rate. */
const maxInFlight = 64;

const changeEvery = 5;

const hubs = 50;

const reportMillis = 250;

const order = JSON.parse(process.env.WRITER_ORDER ?? '') as WriterOrder;

/** A change is to the document of this many writes ago: an insert, and no longer in flight. */
const changesBack = 20 * changeEvery * order.together - 1;

const client = new MongoClient(order.mongodbUri);
const documents = trackCollection<unknown, HubDocument>(client, client.db(order.database), graph);
await client.db(order.database).command({ ping: 1 });
say({ say: 'ready' });
await once(process.stdin, 'data');

let written = 0;
let failed = 0;
const inFlight = new Set<Promise<void>>();
const startedAt = performance.now();
const reporting = setInterval(() => say({ say: 'written', written }), reportMillis);
const writes = Math.round(order.rate * order.seconds);
for (let index = 0; index < writes; index += order.together) {
  const wait = startedAt + (index * 1000) / order.rate - performance.now();
  if (wait > 1) await sleep(wait);
  if (inFlight.size >= maxInFlight) await Promise.race(inFlight);
  if (performance.now() - startedAt > order.seconds * 1000) break;
  const count = Math.min(order.together, writes - index);
  const one: Promise<void> = writeTogether(index, count)
    .then(() => {
      written += count;
    }, countFailure)
    .finally(() => inFlight.delete(one));
  inFlight.add(one);
}
await Promise.all(inFlight);
clearInterval(reporting);
say({ say: 'done', written, failed, seconds: (performance.now() - startedAt) / 1000 });
await client.close();
process.exit();

async function writeTogether(from: number, count: number): Promise<void> {
  if (count === 1) return write([from], {});
  const indexes = Array.from({ length: count }, (_, offset) => from + offset);
  await client.withSession((session) => session.withTransaction(() => write(indexes, { session })));
}

async function write(indexes: readonly number[], options: { readonly session?: ClientSession }): Promise<void> {
  const changes = indexes.filter((index) => index % changeEvery === changeEvery - 1 && index >= changesBack);
  const inserts = indexes.filter((index) => !changes.includes(index)).map((index) => loadDocument(index, 0));
  if (inserts.length > 0) await documents.insertMany(inserts, options);
  for (const index of changes) {
    const { _id, ...state } = loadDocument(index - changesBack, 1);
    const { matchedCount } = await documents.updateOne({ _id }, { $set: state }, options);
    if (matchedCount !== 1) throw new Error(`There is no document ${_id}.`);
  }
}

/** The document in its first state, or after its change, which moves it to another hub. */
function loadDocument(number: number, version: number): HubDocument {
  return hubDocument(order.run, `${order.prefix}-${number}`, {
    hub: (number + version) % hubs,
    node: { number, version },
    relationship: { version },
  });
}

function countFailure(error: unknown): void {
  failed += 1;
  if (failed === 1) process.stderr.write(`  a write failed: ${String(error)}\n`);
}

function say(line: WriterLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
