/** What the publisher's flow needs of the world: a lease, a tail, a backlog, a bus and a clock. */
import type { Pointer } from '../contract/pointer.ts';
import type { Position } from '../contract/position.ts';
import type { Backlog, BacklogChunk, PublishProgress, TailStart } from './progress.ts';
import type { SendOptions } from './send-all.ts';

/**
 * Pointers in the order of their inserts, and the token that lies after the last of them; null if there is no new one.
 */
export interface TailedPointers<Token> {
  readonly pointers: readonly Pointer[];
  readonly resumeToken: Token | null;
}

/**
 * An open tail of the outbox; both reads throw a `history-lost` or `change-event-too-large` fault if it cannot go on.
 */
export interface Tail<Token> {
  /** Waits a moment for inserts. */
  readonly next: () => Promise<TailedPointers<Token>>;
  /** What has come by now, without waiting. */
  readonly poll: () => Promise<TailedPointers<Token>>;
  readonly close: () => Promise<void>;
}

/** The lease as the flow holds it; `progress` is null when there is nothing to go on from. */
export interface HeldLease<Token> {
  readonly progress: PublishProgress<Token> | null;
  /** How often to save at least, for the lease not to run out. */
  readonly renewMillis: number;
  /** Saves the progress and renews the lease; false if another publisher has it now. */
  readonly save: (progress: PublishProgress<Token>) => Promise<boolean>;
  readonly release: () => Promise<void>;
}

/** What publishing needs. */
export interface PublishPorts<Token> extends Omit<SendOptions, 'maySend'> {
  /** Takes the lease, or null while another publisher holds it. */
  readonly acquireLease: () => Promise<HeldLease<Token> | null>;
  readonly readClusterTime: () => Promise<Position>;
  readonly openTail: (start: TailStart<Token>) => Tail<Token>;
  /** The next part of the backlog, read causally after its end. */
  readonly readBacklog: (backlog: Backlog) => Promise<BacklogChunk>;
  readonly remainingMillis: () => number;
  readonly log: PublishLog;
}

/** Why a tail cannot go on. */
export type LossCode = 'history-lost' | 'change-event-too-large';

export interface PublishLog {
  /** There is no token to go on from: every pending event is published again. `code` is null on the first start. */
  readonly publishingPending: (code: LossCode | null) => void;
  /** The bus took them. */
  readonly published: (pointers: readonly Pointer[]) => void;
  /** The bus went on refusing them. */
  readonly leftToSweep: (pointers: readonly Pointer[]) => void;
}
