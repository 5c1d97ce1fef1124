/** Events in portions, as the consumer fetches them. */
import type { EventChunk, FetchedEvent } from '../../lib/outbox/fetched-event.ts';

/** All events of all portions. */
export async function readChunks(portions: AsyncIterable<EventChunk>): Promise<readonly FetchedEvent[]> {
  const events: FetchedEvent[] = [];
  for await (const portion of portions) events.push(...portion.read());
  return events;
}

/** One portion of these events. */
export async function* oneChunk(
  events: readonly FetchedEvent[] | Promise<readonly FetchedEvent[]>,
): AsyncGenerator<EventChunk> {
  const found = await events;
  yield { read: () => found };
}
