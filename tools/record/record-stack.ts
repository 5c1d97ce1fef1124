/**
 * Runs a history on a fresh stack, and reads the data that it leaves behind. The functions are the
 * deployed ones until the consumer is disabled, so that some events stay pending.
 */
import { MongoClient } from 'mongodb';
import { beginTrial, type TrialDocument } from '../../lib/consumer/mongodb-trials.ts';
import { exactTypes } from '../../lib/contract/exact-types.ts';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { checkpointCollection, conflictCollection, trialCollection } from '../../lib/outbox/collections.ts';
import { connectGraph } from '../../test/support/connect-graph.ts';
import { dumpGraph } from '../../test/support/graph-dump.ts';
import { atlasMessages } from '../../test/upgrade/atlas-messages.ts';
import type { RecordedCollection, RecordedVersion } from '../../test/upgrade/recorded-version.ts';
import type { StackDescription } from '../local/stack.ts';
import { waitUntil } from '../local/wait-until.ts';
import { recordCheckpoints } from './record-checkpoints.ts';
import { RecordedQueues } from './record-queues.ts';
import { rivalId, writeFresh, writePendingHistory, writeRival, writeSettledHistory } from './write-history.ts';

/** Everything but the version's number. */
export async function recordStack(stack: StackDescription): Promise<Omit<RecordedVersion, 'version'>> {
  const client = new MongoClient(stack.mongodbUri);
  const graph = connectGraph(stack);
  const queues = new RecordedQueues(stack);
  try {
    const db = client.db(stack.mongodbDatabase);
    const outbox = db.collection(outboxCollection);
    const until = (what: string, ask: () => Promise<boolean>) =>
      waitUntil(async () => (await ask()) || undefined, { timeoutSeconds: 120, pollMillis: 100, what });
    const pendingOf = (filter: object) => outbox.find({ status: 'pending', ...filter });

    await queues.copyPointers();
    await writeSettledHistory(client, db);
    await until('the history to be settled', async () => (await outbox.countDocuments({ status: 'pending' })) === 0);
    await writeRival(db);
    await until('the conflict to be met', async () => (await db.collection(conflictCollection).countDocuments()) > 0);
    await until('a checkpoint with a token', async () => {
      const checkpoint = await db.collection(checkpointCollection).findOne({});
      return checkpoint?.resumeToken != null && checkpoint.backlog == null;
    });

    await queues.stopConsumer();
    await writePendingHistory(client, db);
    const waiting = await pendingOf({ aggregateId: { $ne: rivalId }, aggregateType: 'graph' }).toArray();
    const byBus = await queues.receivePointers(waiting.map(({ _id }) => _id.toHexString()));
    const bySweep = await queues.sweepUntil(
      async () => (await pendingOf({ attempts: 0, aggregateType: 'graph' }).toArray()).length === 0,
    );
    await writeFresh(db);

    const suspected = await outbox.findOne({ status: 'pending', aggregateId: 'new' });
    const trials = db.collection<TrialDocument>(trialCollection);
    for (const alone of [false, true])
      await beginTrial(trials, { eventIds: [String(suspected?._id)], alone, maxMillis: 0 });
    const checkpoints = await recordCheckpoints(stack.mongodbUri, client);

    const names = [outboxCollection, checkpointCollection, trialCollection, conflictCollection];
    const collections = await Promise.all(names.map((name) => readCollection(client, stack.mongodbDatabase, name)));
    const fresh = await outbox.findOne({ aggregateId: 'fresh' }, { promoteValues: true });
    return {
      messages: [...byBus, ...bySweep, ...atlasMessages(stack.mongodbDatabase, fresh ?? {})],
      collections: collections.map((one) =>
        one.name === checkpointCollection ? { ...one, documents: [...one.documents, ...checkpoints] } : one,
      ),
      graph: await dumpGraph(graph),
    };
  } finally {
    queues.close();
    await Promise.all([client.close(), graph.close()]);
  }
}

async function readCollection(client: MongoClient, database: string, name: string): Promise<RecordedCollection> {
  const db = client.db(database);
  const [info] = await db.listCollections({ name }, { nameOnly: false }).toArray();
  const indexes = (await db.collection(name).indexes()).filter((index) => index.name !== '_id_');
  const documents = await db.collection(name).find({}, exactTypes).sort({ position: 1, _id: 1 }).toArray();
  return { name, options: (info as { options?: object })?.options ?? {}, indexes, documents };
}
