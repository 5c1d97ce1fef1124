/** A writer process that tests can kill. It writes one document through a tracked collection. */
import { MongoClient } from 'mongodb';
import { graph } from '../../lib/projection/graph.ts';
import { trackCollection } from '../../lib/writer/tracked-collection.ts';

const { MONGODB_URI = '', MONGODB_DATABASE = '', DOCUMENT = '' } = process.env;
const client = new MongoClient(MONGODB_URI);
await trackCollection(client, client.db(MONGODB_DATABASE), graph).insertOne(JSON.parse(DOCUMENT));
await client.close();
