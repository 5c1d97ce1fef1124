/** The newest pending event of each named aggregate: what may make the holder of a node let go of it. */
import type { Collection, Document } from 'mongodb';
import { type OutboxEvent, splitAggregateKey } from '../contract/outbox-event.ts';
import { exactTypes, readOutboxEvent } from './read-outbox-event.ts';
import { withMongodbFaults } from './translate-error.ts';

/**
 * One indexed look-up for each aggregate key (`type:id`); conflicts are few.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function fetchNewestPending(
  outbox: Collection<Document>,
  aggregateKeys: readonly string[],
): Promise<readonly OutboxEvent[]> {
  const documents = await withMongodbFaults(() =>
    Promise.all(
      aggregateKeys.map((key) =>
        outbox.findOne(
          { ...splitAggregateKey(key), status: 'pending' },
          { ...exactTypes, sort: { position: -1 }, readConcern: { level: 'majority' }, readPreference: 'primary' },
        ),
      ),
    ),
  );
  return documents.flatMap((document) => {
    const reading = document === null ? undefined : readOutboxEvent(document);
    return reading?.outcome === 'read' ? [reading.event] : [];
  });
}
