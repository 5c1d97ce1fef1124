/** The sink behind Kafka: reads Debezium's change events and writes raw batches. */

import { Kafka, logLevel } from 'kafkajs';
import { BSON } from 'mongodb';
import neo4j from 'neo4j-driver';
import { readOrder } from './order.ts';
import { type Change, RawGraph } from './raw-graph.ts';
import { databaseOf, type SymbolDocument, symbolsCollection } from './symbols.ts';

const { peer, neo4jUri, broker = '' } = readOrder();
const graph = new RawGraph(neo4j.driver(neo4jUri), peer);
const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.ERROR });
const topic = `${peer}.${databaseOf(peer)}.${symbolsCollection}`;
const admin = kafka.admin();
await admin.connect();
await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
await admin.disconnect();
const consumer = kafka.consumer({ groupId: 'sink', sessionTimeout: 10_000, maxBytesPerPartition: 1_048_576 });
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({
  eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
    for (let first = 0; first < batch.messages.length; first += 1_000) {
      const messages = batch.messages.slice(first, first + 1_000);
      await graph.apply(messages.map(({ key, value }) => changeOf(String(key), String(value))));
      resolveOffset(messages.at(-1)?.offset ?? '');
      await heartbeat();
    }
  },
});

/** https://debezium.io/documentation/reference/stable/connectors/mongodb.html#mongodb-change-events */
function changeOf(key: string, value: string): Change {
  const { id } = JSON.parse(key) as { id: string };
  const { after } = JSON.parse(value) as { after: string | null };
  return { id: JSON.parse(id), document: after === null ? null : (BSON.EJSON.parse(after) as SymbolDocument) };
}
