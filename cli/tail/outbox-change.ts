/** What happens to events, as whoever follows the outbox sees it: names and times, never a payload. */
import type { Operation } from '../../lib/contract/outbox-event.ts';
import type { Position } from '../../lib/contract/position.ts';

/** What happened to an event. */
export type Happening =
  | { readonly what: 'written' }
  /** It, or a newer state of its aggregate, is in the graph; the lag is from `createdAt`. */
  | { readonly what: 'applied'; readonly lagMillis: number }
  | { readonly what: 'dead'; readonly code: string }
  /** Pending again after it was dead, or after it was processed. */
  | { readonly what: 'redriven' };

/** One change. */
export type OutboxChange = Happening & {
  /** By the server's clock. */
  readonly at: Date;
  readonly eventId: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly operation: Operation;
  readonly position: Position;
};
