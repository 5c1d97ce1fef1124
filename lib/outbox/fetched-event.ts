/** An event as the consumer finds it in the outbox. */
import type { OutboxEvent } from '../contract/outbox-event.ts';
import type { TracedEvent } from '../contract/traceparent.ts';

/**
 * One that was not found is absent: it was settled and purged. `invalid`: still pending, and no writer of outgraph's
 * wrote it.
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
 * Events as they were fetched; decoded when they are asked for, so that what is fetched in advance takes no more memory
 * than its bytes.
 */
export interface EventChunk {
  readonly read: () => readonly FetchedEvent[];
}
