/** Which dead events a person means. */

/** Every list narrows the choice; an empty one does not. Without any, all dead events are meant. */
export interface DeadSelection {
  /** Values of `error.code`. */
  readonly codes: readonly string[];
  readonly aggregateTypes: readonly string[];
  /** 24 hexadecimal digits each. */
  readonly eventIds: readonly string[];
}
