/** The service's aggregate and its events. */
import mongoose from 'mongoose';
import { type AggregateDefinition, defineAggregate, documentId } from 'outgraph-writer';
import { z } from 'zod';

const payload = z.object({ name: z.string(), cities: z.array(z.object({ name: z.string() })).optional() });

export const person = defineAggregate({
  type: 'person',
  collection: 'people',
  id: documentId,
  payload,
  project: ({ name }, id) => ({ nodes: [{ label: 'Person', key: { id }, properties: { name } }], relationships: [] }),
}) satisfies AggregateDefinition<z.infer<typeof payload>>;

export async function connect(instance = mongoose): Promise<mongoose.Connection> {
  const { MONGODB_URI = '', MONGODB_DATABASE = '' } = process.env;
  return instance.createConnection(MONGODB_URI, { dbName: MONGODB_DATABASE }).asPromise();
}

export const newId = () => new mongoose.Types.ObjectId();

/** The operations and names of the events of an aggregate, in the order of their positions. */
export async function eventsOf(connection: mongoose.Connection, ...ids: readonly mongoose.Types.ObjectId[]) {
  const filter = { aggregateType: 'person', aggregateId: { $in: ids.map(String) } };
  const events = await connection.collection('outbox').find(filter).sort({ position: 1 }).toArray();
  return events.map(({ operation, payload }) => (operation === 'delete' ? operation : String(payload.name)));
}
