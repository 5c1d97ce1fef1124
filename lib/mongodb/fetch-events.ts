/** The consumer's fetch: the events that a batch of pointers names, in one query. */
import { type Collection, type Document, ObjectId } from 'mongodb';
import type { FetchedEvent } from '../contract/fetched-event.ts';
import type { TracedEvent } from '../contract/traceparent.ts';
import { exactTypes, readOutboxEvent } from './read-outbox-event.ts';
import { withMongodbFaults } from './translate-error.ts';

/**
 * The named events, in no order; one that was purged is absent. Reads with read concern majority from the primary, so that nothing that could
 * still be rolled back reaches the graph.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function fetchEvents(
  outbox: Collection<Document>,
  eventIds: readonly string[],
): Promise<readonly FetchedEvent[]> {
  const ids = eventIds.map((id) => ObjectId.createFromHexString(id));
  const documents = await withMongodbFaults(() =>
    outbox
      .find({ _id: { $in: ids } }, { ...exactTypes, readConcern: { level: 'majority' }, readPreference: 'primary' })
      .toArray(),
  );
  return documents.map((document) => {
    const reading = readOutboxEvent(document);
    if (reading.outcome === 'invalid')
      return { status: 'invalid', event: tracedEvent(document), reason: reading.reason };
    return reading.status === 'pending'
      ? { status: 'pending', event: reading.event }
      : { status: reading.status, event: tracedEvent(document) };
  });
}

/** Without the payload, which need not be kept for what is not applied; the document may be anything. */
function tracedEvent({ _id, aggregateType, traceparent }: Document): TracedEvent {
  return {
    eventId: String(_id),
    ...(typeof aggregateType === 'string' ? { aggregateType } : {}),
    ...(typeof traceparent === 'string' ? { traceparent } : {}),
  };
}
