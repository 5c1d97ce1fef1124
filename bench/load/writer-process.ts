/**
 * A writer of a load run, in a process of its own: writes through a tracked collection at a steady rate, whether the
 * writes before have ended or not, as independent users would. Four of five writes insert a document, the fifth changes
 * an earlier one. Says when it is ready, begins when it is told to, and says now and then how many writes are
 * committed.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { graph } from '../../lib/projection/graph.ts';
import { trackCollection } from '../../lib/writer/tracked-collection.ts';
import { type HubDocument, hubDocument } from '../../test/support/hub-document.ts';

/** What a writer is to do. */
export interface WriterOrder {
  readonly mongodbUri: string;
  readonly database: string;
  readonly run: string;
  /** Begins the ids of the documents. */
  readonly prefix: string;
  readonly rate: number;
  readonly seconds: number;
}

/** What it says, one line of JSON each. */
export type WriterLine =
  | { readonly say: 'ready' }
  | { readonly say: 'written'; readonly written: number }
  | { readonly say: 'done'; readonly written: number; readonly failed: number; readonly seconds: number };

/** More writes than these are not under way at once: who is that late does not hold the rate. */
const mostInFlight = 64;

/** A change is of the document of so many writes before, which is not under way any more. */
const changesBack = 99;
const changeEvery = 5;

const hubs = 50;

const tellMillis = 250;

const order = JSON.parse(process.env.WRITER_ORDER ?? '') as WriterOrder;
const client = new MongoClient(order.mongodbUri);
const documents = trackCollection<unknown, HubDocument>(client, client.db(order.database), graph);
await client.db(order.database).command({ ping: 1 });
say({ say: 'ready' });
await once(process.stdin, 'data');

let written = 0;
let failed = 0;
const inFlight = new Set<Promise<void>>();
const startedAt = performance.now();
const telling = setInterval(() => say({ say: 'written', written }), tellMillis);
for (let index = 0; index < Math.round(order.rate * order.seconds); index += 1) {
  const wait = startedAt + (index * 1000) / order.rate - performance.now();
  if (wait > 1) await sleep(wait);
  if (inFlight.size >= mostInFlight) await Promise.race(inFlight);
  if (performance.now() - startedAt > order.seconds * 1000) break;
  const one: Promise<void> = write(index)
    .then(() => {
      written += 1;
    }, countFailure)
    .finally(() => inFlight.delete(one));
  inFlight.add(one);
}
await Promise.all(inFlight);
clearInterval(telling);
say({ say: 'done', written, failed, seconds: (performance.now() - startedAt) / 1000 });
await client.close();
process.exit();

async function write(index: number): Promise<void> {
  const changed = index - changesBack;
  if (index % changeEvery !== changeEvery - 1 || changed < 0) {
    await documents.insertOne(loadDocument(index, 0));
    return;
  }
  const { _id, ...state } = loadDocument(changed, 1);
  const { matchedCount } = await documents.updateOne({ _id }, { $set: state });
  if (matchedCount !== 1) throw new Error(`There is no document ${_id}.`);
}

/** In its first state, or after its change, which moves it to another hub. */
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
