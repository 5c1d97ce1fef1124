/**
 * The sweep's canaries in the outbox. A note in the collection of checkpoints holds the id of the
 * latest one, which is therefore found without an index of its own.
 */
import { type Collection, type Document, Int32, ObjectId, Timestamp } from 'mongodb';
import { canaryAggregate } from '../contract/canary.ts';
import { fromPosition, type Position, toPosition } from '../contract/position.ts';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';
import type { Canary, WaitingCanaries } from './canary.ts';

/** The note of the latest canary, in the collection of checkpoints. */
export interface CanaryNote {
  readonly _id: string;
  readonly eventId: ObjectId;
  readonly writtenAt: Date;
}

const noteId = 'canary';
const majority = { writeConcern: { w: 'majority' } } as const;

/** Writes a canary as any writer would, and notes its id. @throws Fault `mongodb-unavailable`. */
export async function writeCanary(
  outbox: Collection<Document>,
  notes: Collection<CanaryNote>,
  createdAt: Date,
): Promise<void> {
  const eventId = new ObjectId();
  const event = {
    _id: eventId,
    ...canaryAggregate,
    operation: 'upsert',
    payload: {},
    position: new Timestamp({ t: 0, i: 0 }),
    createdAt,
    status: 'pending',
    attempts: new Int32(0),
  };
  await withMongodbFaults(async () => {
    await outbox.insertOne(event, majority);
    await notes.updateOne({ _id: noteId }, { $set: { eventId, writtenAt: createdAt } }, { upsert: true, ...majority });
  });
}

/**
 * Returns the latest canary in its current state; null before the first, and after it was purged.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function readLastCanary(
  outbox: Collection<Document>,
  notes: Collection<CanaryNote>,
): Promise<Canary | null> {
  const projection = { position: 1, createdAt: 1, processedAt: 1 };
  const event = await withMongodbFaults(async () => {
    const note = await notes.findOne({ _id: noteId });
    return note === null ? null : outbox.findOne({ _id: note.eventId }, { projection });
  });
  if (event === null) return null;
  const { position, createdAt, processedAt } = event;
  return { position: toPosition(position), createdAt, processedAt: processedAt ?? null };
}

/** Returns the unprocessed canaries, counted up to `limit`. @throws Fault `mongodb-unavailable`. */
export async function readWaitingCanaries(outbox: Collection<Document>, limit: number): Promise<WaitingCanaries> {
  return withMongodbFaults(async () => {
    const oldest = await outbox.findOne(
      { ...canaryAggregate, status: { $in: ['pending', 'dead'] } },
      { sort: { position: 1 }, projection: { createdAt: 1 }, hint: 'outgraph_unsettled' },
    );
    const pending = { ...canaryAggregate, status: 'pending' };
    return {
      pending: await outbox.countDocuments(pending, { limit, hint: 'outgraph_unsettled' }),
      oldest: (oldest?.createdAt as Date | undefined) ?? null,
    };
  });
}

/**
 * Marks the canaries before a position processed, and returns how many. Requires that a later one
 * was processed.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function settleCanariesBefore(outbox: Collection<Document>, position: Position): Promise<number> {
  const filter = {
    ...canaryAggregate,
    position: { $lt: new Timestamp(fromPosition(position)) },
    status: { $in: ['pending', 'dead'] },
  };
  const update = {
    $set: { status: 'processed' },
    $unset: { deadAt: '', error: '' },
    $currentDate: { processedAt: true as const },
  };
  const result = await withMongodbFaults(() =>
    outbox.updateMany(filter, update, { hint: 'outgraph_unsettled', ...majority }),
  );
  return result.modifiedCount;
}
