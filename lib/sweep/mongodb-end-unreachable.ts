/**
 * Marks events dead that no pointer can name or that the sweep cannot see: they bypassed the
 * validator, or the writer set their position. They never become stale, so they would stay
 * unsettled forever without a report.
 */
import { type Collection, type Document, MaxKey, MinKey, Timestamp } from 'mongodb';
import { bsonTypeOf } from '../contract/bson-type.ts';
import { fromPosition, type Position, toPosition } from '../contract/position.ts';
import { unknownStatus, unknownStatusIndex } from '../outbox/collections.ts';
import { readClusterTime } from '../outbox/mongodb-clock.ts';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';
import { type DeadById, markDeadById } from '../outbox/mongodb-mark-dead.ts';
import { futureSeconds, futureText, isInFuture } from '../outbox/mongodb-read-event.ts';

/** Every BSON type except objectId. The index of `_id` sorts values by type. */
const otherTypes =
  'double string object binData bool date null regex javascript int timestamp long decimal minKey maxKey'.split(' ');

const maxEvents = 1_000;

/**
 * Marks such events dead, and returns how many. If there are too many, the next sweep continues.
 *
 * @param reported called for each event.
 * @throws Fault `mongodb-unavailable`.
 */
export async function endUnreachable(
  outbox: Collection<Document>,
  reported: (eventId: string, code: DeadById['code']) => void,
): Promise<number> {
  const found = await findUnreachable(outbox, await readClusterTime(outbox.db.client, outbox), maxEvents);
  const marked = await markDeadById(outbox, found);
  for (const { _id, code } of found) reported(String(_id).slice(0, maxIdText), code);
  return marked;
}

/** An `_id` may be text of any length. */
const maxIdText = 64;

/** Finds such events with four indexes. If there are none, it reads no document. */
async function findUnreachable(
  outbox: Collection<Document>,
  clusterTime: Position,
  limit: number,
): Promise<readonly DeadById[]> {
  const fields = { _id: 1, status: 1, position: 1 };
  const inIndex = (from: unknown, to: unknown) =>
    outbox
      .find({ status: 'pending' })
      .project(fields)
      .hint('outgraph_pending')
      .min(place(from))
      .max(place(to))
      .limit(limit)
      .toArray();
  return withMongodbFaults(async () => {
    const otherIds = await outbox
      .find({ _id: { $type: otherTypes }, status: 'pending' } as Document)
      .project(fields)
      .hint('_id_')
      .limit(limit)
      .toArray();
    // In an index, timestamps are between the values of other types.
    const before = await inIndex(new MinKey(), new Timestamp({ t: 0, i: 0 }));
    const { t } = fromPosition(clusterTime);
    const after = await inIndex(new Timestamp({ t: t + futureSeconds, i: 0 }), new MaxKey());
    const unknown = await outbox.find(unknownStatus).project(fields).hint(unknownStatusIndex).limit(limit).toArray();
    const found = new Map([...otherIds, ...before, ...after, ...unknown].map((event) => [String(event._id), event]));
    return [...found.values()].flatMap((event) => reasonFor(event, clusterTime) ?? []);
  });
}

function place(position: unknown) {
  return { status: 'pending', position, nextAttemptAt: new MinKey() };
}

function reasonFor({ _id, status, position }: Document, clusterTime: Position): DeadById | null {
  const invalid = (problem: string): DeadById => ({
    _id,
    code: 'event-invalid',
    message: `The event bypassed the outbox's validator: ${problem}.`,
  });
  if (bsonTypeOf(_id) !== 'ObjectId') return invalid('_id must be a BSON objectId');
  if (bsonTypeOf(position) !== 'Timestamp') return invalid('position must be a BSON timestamp');
  if (status !== 'pending') return invalid('status must be pending');
  const place = toPosition(position);
  return isInFuture(place, clusterTime) ? { _id, code: 'position-in-future', message: futureText(place) } : null;
}
