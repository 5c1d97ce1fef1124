/** Events in portions, as the consumer fetches them. */
import type { EventPortion, FetchedEvent } from '../../lib/outbox/fetched-event.ts';

/** All events of all portions. */
export async function readPortions(portions: AsyncIterable<EventPortion>): Promise<readonly FetchedEvent[]> {
  const events: FetchedEvent[] = [];
  for await (const portion of portions) events.push(...portion.read());
  return events;
}

/** One portion of these events. */
export async function* onePortion(
  events: readonly FetchedEvent[] | Promise<readonly FetchedEvent[]>,
): AsyncGenerator<EventPortion> {
  const found = await events;
  yield { read: () => found };
}
