/** An event as the consumer finds it in the outbox. */
import type { OutboxEvent } from './outbox-event.ts';

/** One that was not found is absent: it was settled and purged. `invalid`: written past the validator. */
export type FetchedEvent =
  | { readonly status: 'pending'; readonly event: OutboxEvent }
  | { readonly status: 'processed' | 'dead'; readonly eventId: string }
  | { readonly status: 'invalid'; readonly eventId: string; readonly reason: string };
