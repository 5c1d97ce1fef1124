/** Inserts a person, then changes her city: two transactions, each with its document and its event. */
import { MongoClient } from 'mongodb';
import { trackCollection } from 'outgraph/writer';
import { person } from './catalog.js';

const client = new MongoClient(process.env.MONGODB_URI);
const db = client.db(process.env.MONGODB_DATABASE ?? 'outgraph');
const people = trackCollection(client, db, person);

await people.insertOne({ _id: 'ada', name: 'Ada', city: 'London' });
await people.updateOne({ _id: 'ada' }, { $set: { city: 'Turin' } });
await client.close();
