/** Marks events dead: they stay in the outbox with their reason until a person redrives or discards them. */
import { type Collection, type Document, ObjectId } from 'mongodb';
import type { DeadEvent } from '../contract/dead-event.ts';
import { printable } from '../contract/printable.ts';
import { withMongodbFaults } from './translate-error.ts';

/**
 * Marks the events dead by the server's clock, and returns how many were still pending.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function markDead(outbox: Collection<Document>, events: readonly DeadEvent[]): Promise<number> {
  if (events.length === 0) return 0;
  const updates = events.map(({ eventId, code, message }) => ({
    updateOne: {
      filter: { _id: ObjectId.createFromHexString(eventId), status: 'pending' },
      update: {
        $set: { status: 'dead', error: { code, message: printable(message) } },
        $currentDate: { deadAt: true as const },
      },
    },
  }));
  const result = await withMongodbFaults(() =>
    outbox.bulkWrite(updates, { ordered: false, writeConcern: { w: 'majority' } }),
  );
  return result.modifiedCount;
}
