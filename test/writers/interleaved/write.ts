/** The TypeScript writer of the interleaved test. README.md in this folder describes it. */
import { randomInt } from 'node:crypto';
import { type ClientSession, type Document, MongoClient } from 'mongodb';
import { graph } from '../../../lib/projection/graph.ts';
import { trackCollection } from '../../../lib/writer/tracked-collection.ts';

const { MONGODB_URI = '', MONGODB_DATABASE = '', WRITER = '', AGGREGATES = '', SECONDS = '' } = process.env;
const ends = { committed: 0, aborted: 0, failed: 0 };

const client = new MongoClient(MONGODB_URI);
const documents = trackCollection<unknown, Document & { _id: string }>(client, client.db(MONGODB_DATABASE), graph);
const anyId = () => String(randomInt(Number(AGGREGATES)));
const touched = { 'nodes.0.properties.touched': WRITER };

const until = performance.now() + Number(SECONDS) * 1_000;
for (let count = 0; performance.now() < until; count += 1) {
  try {
    ends[await change(randomInt(10), `${WRITER}-${count}`)] += 1;
  } catch (error) {
    ends.failed += 1;
    process.stderr.write(`${error}\n`);
  }
}
await client.close();
process.stdout.write(`${JSON.stringify(ends)}\n`);

async function change(drawn: number, version: string): Promise<'committed' | 'aborted'> {
  const _id = anyId();
  if (drawn <= 3) await documents.updateOne({ _id }, { $set: state(_id, version) }, { upsert: true });
  else if (drawn === 4) await documents.replaceOne({ _id }, state(_id, version), { upsert: true });
  else if (drawn === 5) await documents.deleteOne({ _id });
  else if (drawn === 6) await documents.updateMany({ _id: { $in: [_id, anyId(), anyId()] } }, { $set: touched });
  else if (drawn === 7) await documents.findOneAndUpdate({ _id }, { $set: touched });
  else if (drawn === 8)
    await client.withSession((session) => session.withTransaction(() => changeTwo(session, _id, version)));
  else return abort(_id);
  return 'committed';
}

async function changeTwo(session: ClientSession, _id: string, version: string): Promise<void> {
  await documents.updateOne({ _id }, { $set: state(_id, version) }, { upsert: true, session });
  await documents.deleteOne({ _id: anyId() }, { session });
}

async function abort(_id: string): Promise<'aborted'> {
  await client.withSession(async (session) => {
    session.startTransaction();
    try {
      await changeTwo(session, _id, 'aborted');
    } catch {
      // A conflict or a new primary also aborts the transaction.
    }
    await session.abortTransaction();
  });
  return 'aborted';
}

function state(id: string, version: string): Document {
  const from = { label: 'Interleaved', key: { id } };
  const to = { label: 'InterleavedHub', key: { id: `hub-${randomInt(3)}` } };
  return {
    nodes: [{ ...from, properties: { version } }],
    relationships: [{ type: 'INTERLEAVED_AT', from, to, properties: { version } }],
  };
}
