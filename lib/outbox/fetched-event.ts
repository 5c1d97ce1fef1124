/** An event as the consumer reads it from the outbox. */
import type { OutboxEvent } from '../contract/outbox-event.ts';
import type { TracedEvent } from '../contract/traceparent.ts';

/**
 * Purged events are absent. `invalid`: still pending, but not written by one of outgraph's writer
 * libraries.
 */
export type FetchedEvent =
  | { readonly status: 'pending'; readonly event: OutboxEvent }
  | { readonly status: 'processed' | 'dead'; readonly event: TracedEvent }
  | {
      readonly status: 'invalid';
      readonly event: TracedEvent;
      readonly code: 'event-invalid' | 'position-in-future';
      readonly reason: string;
    };

/**
 * Fetched events, decoded only when they are read, so that prefetched events take no more memory
 * than their bytes.
 */
export interface EventChunk {
  readonly read: () => readonly FetchedEvent[];
}
