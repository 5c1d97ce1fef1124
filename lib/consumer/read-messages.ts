/** Separates the readable messages of a batch from the unreadable ones and unpacks them. */
import { readPointers } from '../contract/pointer.ts';
import type { QueueMessage, ReadMessage, UnreadableMessage } from './queue-message.ts';

/** Reads each message's pointers. A message of several events is listed once per event. */
export function readMessages(messages: readonly QueueMessage[]): {
  readonly readable: readonly ReadMessage[];
  readonly unreadable: readonly UnreadableMessage[];
} {
  const readable: ReadMessage[] = [];
  const unreadable: UnreadableMessage[] = [];
  for (const message of messages) {
    const reading = readPointers(message.body);
    if (reading.outcome === 'unreadable') unreadable.push({ ...message, reason: reading.reason });
    else for (const eventId of reading.eventIds) readable.push({ ...message, eventId });
  }
  return { readable, unreadable };
}
