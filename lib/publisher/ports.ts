/** The publisher's ports: a lease, a tail, a backlog, a bus and a clock. */
import type { Pointer } from '../contract/pointer.ts';
import type { Position } from '../contract/position.ts';
import type { Backlog, BacklogChunk, PublishProgress, TailStart } from './progress.ts';
import type { SendOptions } from './send-all.ts';

/**
 * Pointers in the order of their inserts, and the token after the last one; null if there is no new
 * token.
 */
export interface TailedPointers<Token> {
  readonly pointers: readonly Pointer[];
  readonly resumeToken: Token | null;
}

/**
 * An open tail of the outbox. Both reads throw `history-lost` or `change-event-too-large` if it
 * cannot continue.
 */
export interface Tail<Token> {
  /** Waits briefly for inserts. */
  readonly next: () => Promise<TailedPointers<Token>>;
  /** Returns what has arrived, without waiting. */
  readonly poll: () => Promise<TailedPointers<Token>>;
  readonly close: () => Promise<void>;
}

/** A held lease; `progress` is null if there is no checkpoint to continue from. */
export interface HeldLease<Token> {
  readonly progress: PublishProgress<Token> | null;
  /** Longest time between two saves, so that the lease does not expire. */
  readonly renewMillis: number;
  /**
   * Saves the progress and renews the lease. False if another publisher has the lease now, or if it
   * must be acquired again for another reason.
   */
  readonly save: (progress: PublishProgress<Token>) => Promise<boolean>;
  readonly release: () => Promise<void>;
}

/** The ports of `publish`. */
export interface PublishPorts<Token> extends Omit<SendOptions, 'maySend'> {
  /** Takes the lease; null while another publisher holds it. */
  readonly acquireLease: () => Promise<HeldLease<Token> | null>;
  readonly readClusterTime: () => Promise<Position>;
  readonly openTail: (start: TailStart<Token>) => Tail<Token>;
  /** Reads the next chunk of the backlog, causally after the backlog's end. */
  readonly readBacklog: (backlog: Backlog) => Promise<BacklogChunk>;
  /**
   * Waits briefly until the sink can take more pointers; false if it still cannot. Meanwhile the
   * publisher reads nothing, and renews its lease.
   */
  readonly waitForCapacity?: () => Promise<boolean>;
  readonly remainingMillis: () => number;
  /** Called about once a second, or more often, while the publisher works. */
  readonly working?: (role: PublisherRole) => void;
  readonly log: PublishLog;
}

/** Whether a publisher has the lease and tails the outbox, or waits for another one's to end. */
export type PublisherRole = 'tail' | 'standby';

/** Why a tail cannot continue. */
export type LossCode = 'history-lost' | 'change-event-too-large';

export interface PublishLog {
  /**
   * There is no token to resume from, so every pending event is published again. `code` is null on
   * the first start.
   */
  readonly publishingPending: (code: LossCode | null) => void;
  /** The bus accepted these pointers. */
  readonly published: (pointers: readonly Pointer[]) => void;
  /** The bus refused these pointers in every attempt. */
  readonly leftToSweep: (pointers: readonly Pointer[]) => void;
}
