/** Claims stale events, and releases claims, by changing when an event may be republished. */
import { type ClientSession, type Collection, type Document, Int32, ObjectId } from 'mongodb';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';
import { scheduleOf } from './mongodb-find-stale.ts';
import type { Rescheduling, Schedule } from './stale-event.ts';

/**
 * Changes the schedule of each event that is still pending and has the schedule it was read with.
 * Returns the ids of exactly those events. It uses a transaction, because a bulk update reports
 * only how many documents it changed. If two sweeps read the same event, one of them changes it,
 * and the other one learns that it did not.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function reschedulePending(
  outbox: Collection<Document>,
  changes: readonly Rescheduling[],
): Promise<ReadonlySet<string>> {
  if (changes.length === 0) return new Set();
  return withMongodbFaults(() =>
    outbox.db.client.withSession((session) =>
      session.withTransaction(() => changeUnchanged(outbox, changes, session), {
        readConcern: { level: 'snapshot' },
        writeConcern: { w: 'majority' },
      }),
    ),
  );
}

async function changeUnchanged(
  outbox: Collection<Document>,
  changes: readonly Rescheduling[],
  session: ClientSession,
): Promise<ReadonlySet<string>> {
  const ids = changes.map(({ eventId }) => ObjectId.createFromHexString(eventId));
  const projection = { attempts: 1, nextAttemptAt: 1 };
  const found = await outbox.find({ _id: { $in: ids }, status: 'pending' }, { projection, session }).toArray();
  const seen = new Map(found.map((event) => [String(event._id), scheduleOf(event)]));
  const valid = changes.filter(({ eventId, from }) => {
    const now = seen.get(eventId);
    return now?.attempts === from.attempts && now.nextAttemptAt?.getTime() === from.nextAttemptAt?.getTime();
  });
  if (valid.length === 0) return new Set();
  const updates = valid.map(({ eventId, to }) => ({
    updateOne: { filter: { _id: ObjectId.createFromHexString(eventId) }, update: updateTo(to) },
  }));
  // A change since the read makes the transaction conflict and retry.
  await outbox.bulkWrite(updates, { ordered: false, session });
  return new Set(valid.map(({ eventId }) => eventId));
}

function updateTo({ attempts, nextAttemptAt }: Schedule): Document {
  const set = { attempts: new Int32(attempts) };
  return nextAttemptAt === null ? { $set: set, $unset: { nextAttemptAt: '' } } : { $set: { ...set, nextAttemptAt } };
}
