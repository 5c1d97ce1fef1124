/** A service that writes: a stream of mixed changes, or single inserts at a steady rate. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import neo4j from 'neo4j-driver';
import pMap from 'p-map';
import { type Committed, readOrder } from './order.ts';
import { databaseOf, symbolsOf } from './symbols.ts';
import { writesOf } from './writes.ts';

/** Groups of batches that are written at a time. */
const concurrency = 4;

/** How many of the single inserts are reported, in a second. */
const reportedPerSecond = 20;

const { peer, mongodbUri, neo4jUri, write: order } = readOrder();
if (order === undefined) throw new Error('The writer has nothing to write.');
const { round } = order;
const reported = new Set<string>();
const client = new MongoClient(mongodbUri);
const driver = neo4j.driver(neo4jUri);
const writes = writesOf(peer, client, client.db(databaseOf(peer)), driver, (documents) => {
  for (const { _id: id } of documents) {
    const line: Committed = { id, at: Date.now() };
    if (reported.delete(id)) process.stdout.write(`${JSON.stringify(line)}\n`);
  }
});
if ('groups' in order) {
  const groups = Array.from({ length: order.groups }, (_, group) => group);
  await pMap(groups, (group) => writeGroup(group * 10), { concurrency });
} else {
  await writeSteadily(order.perSecond, order.seconds);
}
await client.close();
await driver.close();

/** Ten batches are inserted; then five are changed, three moved and two deleted. */
async function writeGroup(first: number): Promise<void> {
  const batches = Array.from({ length: 10 }, (_, index) => first + index);
  for (const batch of batches) await writes.insert(symbolsOf(round, batch));
  for (const batch of batches.slice(0, 5)) await writes.change(round, batch);
  for (const batch of batches.slice(5, 8)) await writes.move(round, batch);
  for (const batch of batches.slice(8)) await writes.remove(round, batch);
}

async function writeSteadily(perSecond: number, seconds: number): Promise<void> {
  const startedAt = performance.now();
  const running: Promise<unknown>[] = [];
  for (let index = 0; index < perSecond * seconds; index += 1) {
    const wait = startedAt + (index * 1_000) / perSecond - performance.now();
    if (wait > 1) await sleep(wait);
    const [symbol] = symbolsOf(round, index, 1);
    if (symbol === undefined) continue;
    if (index % Math.ceil(perSecond / reportedPerSecond) === 0) reported.add(symbol._id);
    running.push(writes.insert([symbol]));
  }
  await Promise.all(running);
}
