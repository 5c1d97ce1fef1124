/**
 * Checkpoints of publishers that stopped in the middle of a backlog: one before anything was sent,
 * one after a part of it was sent. They use a separate database, which is dropped.
 */
import type { Document, MongoClient } from 'mongodb';
import { exactTypes } from '../../lib/contract/exact-types.ts';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { checkpointCollection } from '../../lib/outbox/collections.ts';
import { exclusiveLease } from '../../lib/publisher/mongodb-lease.ts';
import { joinPublisher } from '../../lib/publisher/wiring.ts';
import { publisherSettings, readSettings } from '../../lib/runtime/settings.ts';
import { setUpOutbox } from '../../lib/set-up/mongodb-outbox.ts';
import { outboxEvent } from '../../test/support/outbox-event.ts';
import { silentLog } from '../../test/support/silent-log.ts';

const database = 'outgraph_recorded_checkpoints';

/** More than a publisher reads at once, so that a backlog remains. */
const pendingEvents = 600;

/** The two checkpoint documents, with their BSON types. */
export async function recordCheckpoints(mongodbUri: string, client: MongoClient): Promise<readonly Document[]> {
  const db = client.db(database);
  await setUpOutbox(db, { processedRetentionSeconds: 3_600 });
  await db.collection(outboxCollection).insertMany(Array.from({ length: pendingEvents }, () => outboxEvent()));
  await publishUntil(mongodbUri, 'publisher/begun', (sent, begun) => begun || sent > 0);
  await publishUntil(mongodbUri, 'publisher/in-backlog', (sent) => sent > 0);
  const checkpoints = await db.collection(checkpointCollection).find({}, exactTypes).sort({ _id: 1 }).toArray();
  await db.dropDatabase();
  return checkpoints;
}

/**
 * Its time is up as soon as `stop` returns true, possibly while a batch is being sent, which is
 * still completed.
 */
async function publishUntil(
  mongodbUri: string,
  checkpointId: string,
  stop: (sent: number, begun: boolean) => boolean,
): Promise<void> {
  let sent = 0;
  let begun = false;
  const settings = readSettings(publisherSettings.omit({ EVENT_BUS_NAME: true }), {
    MONGODB_URI: mongodbUri,
    MONGODB_DATABASE: database,
  });
  const publisher = joinPublisher(settings, {
    send: async (pointers) => {
      sent += pointers.length;
      return [];
    },
    pointersPerEntry: 1,
    lingerMillis: 0,
    close: () => undefined,
    lease: exclusiveLease(checkpointId),
  });
  const log = {
    ...silentLog,
    publishingPending: () => {
      begun = true;
    },
  };
  // Above the time that a send needs, below what another batch needs.
  await publisher.publish(() => (stop(sent, begun) ? 9_000 : 60_000), log);
  await publisher.close();
}
