/** The messages of a batch, sorted by whether anybody can read them. */
import { readPointer } from '../contract/pointer.ts';
import type { QueueMessage, ReadMessage, UnreadableMessage } from './queue-message.ts';

/** Reads the pointer of each message. */
export function readMessages(messages: readonly QueueMessage[]): {
  readonly readable: readonly ReadMessage[];
  readonly unreadable: readonly UnreadableMessage[];
} {
  const readable: ReadMessage[] = [];
  const unreadable: UnreadableMessage[] = [];
  for (const message of messages) {
    const reading = readPointer(message.body);
    if (reading.outcome === 'read') readable.push({ ...message, eventId: reading.eventId });
    else unreadable.push({ ...message, reason: reading.reason });
  }
  return { readable, unreadable };
}
