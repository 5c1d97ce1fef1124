/** Events in chunks, as the consumer fetches them. */
import type { EventChunk, FetchedEvent } from '../../lib/outbox/fetched-event.ts';

/** All events of all chunks. */
export async function readChunks(chunks: AsyncIterable<EventChunk>): Promise<readonly FetchedEvent[]> {
  const events: FetchedEvent[] = [];
  for await (const chunk of chunks) events.push(...chunk.read());
  return events;
}

/** One chunk with these events. */
export async function* oneChunk(
  events: readonly FetchedEvent[] | Promise<readonly FetchedEvent[]>,
): AsyncGenerator<EventChunk> {
  const found = await events;
  yield { read: () => found };
}
