/** Shared by the end-to-end tests: clients of the servers, and waiting for conditions. */
import { type Collection, type Document, MongoClient, type ObjectId } from 'mongodb';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { connectGraph } from './connect-graph.ts';
import { upsertEvent } from './outbox-event.ts';
import { stack } from './stack.ts';

export const mongodb = new MongoClient(stack.mongodbUri);
export const db = mongodb.db(stack.mongodbDatabase);
export const outbox = db.collection(outboxCollection);
export const graph = connectGraph(stack);

/** Closes the clients. */
export async function closeClients(): Promise<void> {
  await Promise.all([mongodb.close(), graph.close()]);
}

/** A `graph` event as a writer in any language inserts it. A null payload is a deletion. */
export function graphEvent(
  aggregateId: string,
  payload: Document | null,
  fields: Document = {},
): Document & { _id: ObjectId } {
  return upsertEvent(payload, { aggregateId, ...fields });
}

/** Resolves with the events once none of them is pending. */
export async function untilSettled(
  ids: readonly ObjectId[],
  events: Collection = outbox,
): Promise<readonly Document[]> {
  return waitUntil(
    async () => {
      const found = await events.find({ _id: { $in: [...ids] } }).toArray();
      return found.every((event) => event.status !== 'pending') ? found : undefined;
    },
    { timeoutSeconds: 120, pollMillis: 50, what: `${ids.length} events to be settled` },
  );
}

/** The rows of a query, with integers as `bigint`. */
export async function query(statement: string, parameters: Document = {}): Promise<readonly Document[]> {
  const { records } = await graph.executeQuery(statement, parameters);
  return records.map((record) => record.toObject());
}
