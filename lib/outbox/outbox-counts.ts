/** Counts of the outbox, canaries separately. `oldestPending` is the time of its position. */
export interface OutboxCounts {
  readonly pending: number;
  readonly pendingCanaries: number;
  readonly dead: number;
  readonly oldestPending: Date | null;
}
