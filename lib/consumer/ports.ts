/** What the consumer's flow needs of the world, what it may be told, and what it reports. */

import type { Fault, FaultCode } from '../contract/fault.ts';
import type { TracedEvent } from '../contract/traceparent.ts';
import type { GraphPorts } from '../graph/ports.ts';
import type { EventPortion } from '../outbox/fetched-event.ts';
import type { QueueMessage, UnreadableMessage } from './queue-message.ts';
import type { RecordedOutcome, RecordLimits, RecordPorts } from './record-settlement.ts';
import type { SettlePorts } from './settle-events.ts';
import type { BrokenTrials, PastFailures, Trial } from './trial.ts';

/**
 * What the consumer needs. Everything that waits for a server throws a `time-up` fault before the function's time-out.
 */
export interface ConsumePorts extends SettlePorts, Pick<GraphPorts, 'answers'>, Omit<RecordPorts, 'told'> {
  /** Throws at once while a server that failed the last batch is still away. */
  readonly checkServers: () => Promise<void>;
  /** The named events in portions of a bounded size, in no order; one that was purged is absent. */
  readonly fetchEvents: (eventIds: readonly string[]) => AsyncIterable<EventPortion>;
  /** Counts for each of these events that they ran out of time together while Neo4j answered. */
  readonly noteSlow: (eventIds: readonly string[]) => Promise<void>;
  /** What is known of those of the named events that failed before. */
  readonly readFailures: (eventIds: readonly string[]) => Promise<ReadonlyMap<string, PastFailures>>;
  /**
   * Called with the types of a portion before its events are projected. Returns those that only the set-up knows and
   * that were not returned before.
   */
  readonly prepareTypes: (aggregateTypes: ReadonlySet<string>) => Promise<readonly string[]>;
  readonly readBrokenTrials: (eventIds: readonly string[]) => Promise<ReadonlyMap<string, BrokenTrials>>;
  readonly beginTrial: (trial: Trial) => Promise<string>;
  readonly endTrial: (trialId: string) => Promise<void>;
  readonly forgetTrials: (eventIds: readonly string[]) => Promise<void>;
  /** Puts messages into the dead-letter queue, and returns those that it took. */
  readonly moveToDeadLetters: (messages: readonly UnreadableMessage[]) => Promise<readonly QueueMessage[]>;
  /**
   * Lets messages that stay in the queue come again after so long, instead of after the visibility time-out. Never
   * throws: it only saves time.
   */
  readonly comeAgain: (messages: readonly QueueMessage[], seconds: number) => Promise<void>;
  readonly remainingMillis: () => number;
  /** From 0 to 1, for the jitter. */
  readonly random: () => number;
  readonly log: ConsumeLog;
}

/** The fixed set of things the consumer says about single messages and events; never a payload, never a key. */
export interface ConsumeLog {
  /** What the batch came to for one event; told once for each, as soon as it is written down in MongoDB. */
  readonly eventOutcome: (event: TracedEvent, outcome: ToldOutcome) => void;
  /** This process's catalog lacks a type that the set-up knew: its events stay pending. Reported once for each type. */
  readonly typeUnknown: (aggregateType: string) => void;
  readonly messageUnreadable: (messageId: string, reason: string) => void;
  /** A process ended in the middle of this event, or with it among others; it is applied alone now. */
  readonly eventSuspected: (eventId: string, trials: BrokenTrials) => void;
  /** The time is up: so many messages come again. */
  readonly outOfTime: (count: number) => void;
}

/** What a batch came to for one event. */
export type ToldOutcome =
  | RecordedOutcome
  /** Processed, dead or purged before. */
  | { readonly outcome: 'settled-before' }
  /** It comes again, because of this fault. */
  | { readonly outcome: 'retried'; readonly code: FaultCode };

export interface ConsumeOptions extends RecordLimits {
  /** An event with which the process ended this often, alone, is dead. */
  readonly crashMaxTrials: number;
}

/** What one invocation came to. */
export interface ConsumeReport {
  /** The messages that stay in the queue. */
  readonly failedMessageIds: readonly string[];
  readonly applied: number;
  readonly superseded: number;
  readonly dead: number;
  readonly conflicts: number;
  /** Failed on their own while the servers answered: they come again. */
  readonly failed: number;
  /** Why the last of them failed; null if none did. */
  readonly lastFailure: Fault | null;
  readonly unreadable: number;
  /** Messages that were received before. */
  readonly redelivered: number;
  /** Settled before: processed, dead, or purged. */
  readonly settledBefore: number;
  /** When the events that were applied had been written, by their writers' clocks. */
  readonly appliedCreatedAt: readonly Date[];
}
