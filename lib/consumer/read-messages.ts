/** Separates the readable messages of a batch from the unreadable ones. */
import { readPointer } from '../contract/pointer.ts';
import type { QueueMessage, ReadMessage, UnreadableMessage } from './queue-message.ts';

/** Reads each message's pointer. */
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
