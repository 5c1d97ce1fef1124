/** The consumer's ports, options, log and report. */

import type { Fault, FaultCode } from '../contract/fault.ts';
import type { TracedEvent } from '../contract/traceparent.ts';
import type { GraphPorts } from '../graph/ports.ts';
import type { EventChunk } from '../outbox/fetched-event.ts';
import type { QueueMessage, UnreadableMessage } from './queue-message.ts';
import type { RecordedOutcome, RecordLimits, RecordPorts } from './record-settlement.ts';
import type { SettlePorts } from './settle-events.ts';
import type { CrashedTrials, PastFailures, Trial } from './trial.ts';

/** Every port that waits for a server throws a `time-up` fault before the function's time-out. */
export interface ConsumePorts extends SettlePorts, Pick<GraphPorts, 'answers'>, Omit<RecordPorts, 'reportOutcome'> {
  /** Throws immediately if a server that failed the previous batch is still unavailable. */
  readonly checkServers: () => Promise<void>;
  /**
   * Yields the given events in chunks of bounded size, in no particular order; purged events are
   * absent.
   */
  readonly fetchEvents: (eventIds: readonly string[]) => AsyncIterable<EventChunk>;
  /**
   * Counts a time-out for each of these events, which ran out of time together while Neo4j
   * responded.
   */
  readonly countSlow: (eventIds: readonly string[]) => Promise<void>;
  /** Returns the past failures of those given events that have any. */
  readonly readFailures: (eventIds: readonly string[]) => Promise<ReadonlyMap<string, PastFailures>>;
  /**
   * Called with the types of a chunk before its events are projected. Returns the types that only
   * the set-up knows and that it has not returned before.
   */
  readonly prepareTypes: (aggregateTypes: ReadonlySet<string>) => Promise<readonly string[]>;
  readonly readCrashedTrials: (eventIds: readonly string[]) => Promise<ReadonlyMap<string, CrashedTrials>>;
  readonly beginTrial: (trial: Trial) => Promise<string>;
  readonly endTrial: (trialId: string) => Promise<void>;
  readonly forgetTrials: (eventIds: readonly string[]) => Promise<void>;
  /** Sends messages to the dead-letter queue and returns those that it accepted. */
  readonly moveToDeadLetters: (messages: readonly UnreadableMessage[]) => Promise<readonly QueueMessage[]>;
  /**
   * Redelivers messages after `seconds` instead of after the visibility time-out. Never throws,
   * because it only saves time.
   */
  readonly retryLater: (messages: readonly QueueMessage[], seconds: number) => Promise<void>;
  readonly remainingMillis: () => number;
  /** From 0 to 1, for the jitter. */
  readonly random: () => number;
  readonly log: ConsumeLog;
}

/** Logs single messages and events. It never logs a payload or a key. */
export interface ConsumeLog {
  /** Reports the outcome of one event, once per event, as soon as MongoDB has recorded it. */
  readonly eventOutcome: (event: TracedEvent, outcome: ReportedOutcome) => void;
  /**
   * The catalog lacks a type that the set-up knew, so its events stay pending. Reported once per
   * type.
   */
  readonly typeUnknown: (aggregateType: string) => void;
  readonly messageUnreadable: (messageId: string, reason: string) => void;
  /**
   * The process crashed while it processed this event, alone or with others. The event is now
   * applied on its own.
   */
  readonly eventSuspected: (eventId: string, trials: CrashedTrials) => void;
  /** The time is up: `count` messages are redelivered. */
  readonly outOfTime: (count: number) => void;
}

/** The outcome of a batch for one event. */
export type ReportedOutcome =
  | RecordedOutcome
  /** Processed, dead or purged earlier. */
  | { readonly outcome: 'settled-before' }
  /** Will be redelivered because of this fault. */
  | { readonly outcome: 'retried'; readonly code: FaultCode };

export interface ConsumeOptions extends RecordLimits {
  /**
   * Number of times an event may crash the consumer, processed on its own, before it is marked
   * dead.
   */
  readonly crashMaxTrials: number;
}

/** The result of one invocation. Counts are of events unless they name messages. */
export interface ConsumeReport {
  /** Ids of the messages that stay in the queue. */
  readonly failedMessageIds: readonly string[];
  readonly applied: number;
  readonly superseded: number;
  readonly dead: number;
  readonly conflicts: number;
  /** Failed on their own while the servers responded; they are retried. */
  readonly failed: number;
  /** The fault of the last failed event; null if none failed. */
  readonly lastFailure: Fault | null;
  readonly unreadable: number;
  /** Messages with a receive count above 1. */
  readonly redelivered: number;
  /** Deliveries of events that were processed, dead or purged earlier. */
  readonly settledBefore: number;
  /** `createdAt` of the applied events, by their writers' clocks. */
  readonly appliedCreatedAt: readonly Date[];
}
