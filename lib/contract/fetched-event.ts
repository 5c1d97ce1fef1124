/** An event as the consumer finds it in the outbox. */
import type { OutboxEvent } from './outbox-event.ts';
import type { TracedEvent } from './traceparent.ts';

/** One that was not found is absent: it was settled and purged. `invalid`: written past the validator. */
export type FetchedEvent =
  | { readonly status: 'pending'; readonly event: OutboxEvent }
  | { readonly status: 'processed' | 'dead'; readonly event: TracedEvent }
  | { readonly status: 'invalid'; readonly event: TracedEvent; readonly reason: string };
