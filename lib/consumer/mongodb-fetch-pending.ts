/**
 * Fetches the newest pending events of aggregates: one of them may make its aggregate release a
 * node.
 */
import type { Collection, Document, ObjectId } from 'mongodb';
import type { OutboxEvent } from '../contract/outbox-event.ts';
import { type RegistryKeys, withoutSource } from '../contract/registry-keys.ts';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';
import { fetchEvents } from './mongodb-fetch-events.ts';

/**
 * Events to fetch per aggregate. If the newest is refused, an older one may still release the node.
 */
const eventsPerAggregate = 10;

/**
 * Runs one indexed query per aggregate key of the source `keys`, because conflicts are rare.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function fetchPending(
  outbox: Collection<Document>,
  aggregateKeys: readonly string[],
  keys: RegistryKeys = withoutSource,
): Promise<readonly OutboxEvent[]> {
  const found = await withMongodbFaults(() =>
    Promise.all(
      aggregateKeys.map((key) =>
        outbox
          .find({ ...keys.split(key), status: 'pending', _id: { $type: 'objectId' } })
          .project<{ _id: ObjectId }>({ _id: 1 })
          .sort({ position: -1 })
          .limit(eventsPerAggregate)
          .toArray(),
      ),
    ),
  );
  const ids = found.flat().map(({ _id }) => _id.toHexString());
  const events: OutboxEvent[] = [];
  for await (const chunk of fetchEvents(outbox, ids))
    for (const item of chunk.read()) if (item.status === 'pending') events.push(item.event);
  return events;
}
