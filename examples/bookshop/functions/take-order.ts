/**
 * The bookshop's writer: places, changes or cancels an order, and commits documents and events
 * together.
 */
import { getParameter } from '@aws-lambda-powertools/parameters/ssm';
import { type ClientSession, MongoClient } from 'mongodb';
import { trackCollection } from 'outgraph/writer';
import { z } from 'zod';
import { type CustomerDocument, customer } from '../aggregates/customer.ts';
import { type OrderDocument, order } from '../aggregates/order.ts';

const lines = z.array(z.object({ isbn: z.string(), copies: z.int().positive() })).min(1);
const orderRequest = z.discriminatedUnion('action', [
  z.object({
    action: z.literal('place'),
    orderId: z.string(),
    customer: z.object({ id: z.string(), name: z.string() }),
    lines,
  }),
  z.object({ action: z.literal('change'), orderId: z.string(), lines }),
  z.object({ action: z.literal('cancel'), orderId: z.string() }),
]);

type OrderRequest = z.infer<typeof orderRequest>;

/** The connection, reused by later invocations. */
let connected: Promise<MongoClient> | undefined;

export async function handler(event: unknown): Promise<void> {
  const request = orderRequest.parse(event);
  connected ??= connect();
  const client = await connected;
  await client.withSession((session) => session.withTransaction(() => take(request, client, session)));
}

async function connect(): Promise<MongoClient> {
  const uri = await getParameter(process.env.MONGODB_URI_PARAMETER ?? '', { decrypt: true });
  return new MongoClient(uri ?? '').connect();
}

async function take(request: OrderRequest, client: MongoClient, session: ClientSession): Promise<void> {
  const db = client.db(process.env.MONGODB_DATABASE);
  const customers = trackCollection<unknown, CustomerDocument>(client, db, customer);
  const orders = trackCollection<unknown, OrderDocument>(client, db, order);
  const _id = request.orderId;
  if (request.action === 'place') {
    const { id, name } = request.customer;
    await customers.updateOne({ _id: id }, { $set: { name } }, { upsert: true, session });
    await orders.insertOne({ _id, customer_id: id, placed_at: new Date(), lines: request.lines }, { session });
  }
  if (request.action === 'change') await orders.updateOne({ _id }, { $set: { lines: request.lines } }, { session });
  if (request.action === 'cancel') await orders.deleteOne({ _id }, { session });
}
