/** The newest pending events of each named aggregate: by one of them, the holder of a node may let go of it. */
import type { Collection, Document, ObjectId } from 'mongodb';
import { type OutboxEvent, splitAggregateKey } from '../contract/outbox-event.ts';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';
import { fetchEvents } from './mongodb-fetch-events.ts';

/** Of one aggregate: should the newest be refused, one before it may let go. */
const eventsPerAggregate = 10;

/**
 * One indexed look-up for each aggregate key (`type:id`); conflicts are few.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function fetchPending(
  outbox: Collection<Document>,
  aggregateKeys: readonly string[],
): Promise<readonly OutboxEvent[]> {
  const found = await withMongodbFaults(() =>
    Promise.all(
      aggregateKeys.map((key) =>
        outbox
          .find({ ...splitAggregateKey(key), status: 'pending', _id: { $type: 'objectId' } })
          .project<{ _id: ObjectId }>({ _id: 1 })
          .sort({ position: -1 })
          .limit(eventsPerAggregate)
          .toArray(),
      ),
    ),
  );
  const ids = found.flat().map(({ _id }) => _id.toHexString());
  const events: OutboxEvent[] = [];
  for await (const portion of fetchEvents(outbox, ids))
    for (const item of portion.read()) if (item.status === 'pending') events.push(item.event);
  return events;
}
