/**
 * The consumer's flow. It reads the pointers of a batch of queue messages, fetches their events in
 * chunks, settles them in the graph, marks dead events and acknowledges the rest. A message leaves
 * the queue only if its events are settled in MongoDB (now or earlier), or if it is unreadable and
 * the dead-letter queue has accepted it.
 */
import { describeError, Fault, type FaultCode } from '../contract/fault.ts';
import type { OutboxEvent } from '../contract/outbox-event.ts';
import type { TracedEvent } from '../contract/traceparent.ts';
import type { EventChunk, FetchedEvent } from '../outbox/fetched-event.ts';
import { delayAfter } from '../runtime/back-off.ts';
import { planTrials } from './plan-trials.ts';
import type { ConsumeOptions, ConsumePorts, ConsumeReport, ReportedOutcome } from './ports.ts';
import type { QueueMessage, ReadMessage, UnreadableMessage } from './queue-message.ts';
import { readMessages } from './read-messages.ts';
import { type RecordPorts, recordSettlement } from './record-settlement.ts';
import { type Settlement, settleEvents } from './settle-events.ts';
import type { CrashedTrials, PastFailures } from './trial.ts';

const noTrials: ReadonlyMap<string, CrashedTrials> = new Map();
const noFailures: ReadonlyMap<string, PastFailures> = new Map();

/** Whether an earlier delivery started this message: its event may have crashed that process. */
function isRedelivered({ receiveCount }: QueueMessage): boolean {
  return receiveCount >= 2;
}

/**
 * Minimum time that must remain to start another chunk, or another event on its own: 15 s, or 75 %
 * of the invocation's time if that is less.
 */
const minimumTime = { millis: 15_000, share: 0.75 };

/**
 * Back-off after a server fault. It doubles with each receive, less a jitter of up to 50 %. A
 * failover costs seconds, and processing resumes within a minute of the server's return. A message
 * reaches a thousand receives only after an outage of eight hours.
 */
const faultRetrySeconds = { first: 5, most: 40 };

/** Delay before retrying an unreadable message that the dead-letter queue did not accept. */
const unreadableRetrySeconds = 30;

/** Back-off of an event in conflict. It doubles each time. */
const conflictRetrySeconds = { first: 30, most: 480 };

/**
 * Consumes a batch of messages.
 *
 * @throws Fault other than a data fault: MongoDB or Neo4j is unavailable. Events settled before the
 * fault are acknowledged, and Lambda backs off.
 */
export async function consume(
  messages: readonly QueueMessage[],
  ports: ConsumePorts,
  options: ConsumeOptions,
): Promise<ConsumeReport> {
  const batch = new Batch(messages, ports, options);
  try {
    await batch.consume();
  } catch (error) {
    batch.reportRetried(describeError(error).code);
    await batch.countSlow();
    if (!batch.isTimeUpAfterProgress(error)) {
      await retryAfterFault(messages, ports);
      throw error;
    }
  }
  batch.reportRetried('time-up');
  await batch.retryUnsettled();
  return batch.report();
}

async function retryAfterFault(messages: readonly QueueMessage[], ports: ConsumePorts): Promise<void> {
  const share = 1 - ports.random() / 2;
  const secondsOf = ({ receiveCount }: QueueMessage) => Math.ceil(delayAfter(receiveCount, faultRetrySeconds) * share);
  for (const [seconds, group] of Map.groupBy(messages, secondsOf)) await ports.retryLater(group, seconds);
}

/** The state of one invocation. */
class Batch {
  readonly #ports: ConsumePorts;
  readonly #options: ConsumeOptions;
  readonly #readable: readonly ReadMessage[];
  readonly #unreadable: readonly UnreadableMessage[];
  /** Messages that stay in the queue until all of their events are settled. */
  readonly #unsettled: Map<string, QueueMessage>;
  /** The unsettled events of each message. */
  readonly #openEvents: ReadonlyMap<string, Set<string>>;
  /** Seconds until the next attempt: by event, or by message if the message is unreadable. */
  readonly #retrySeconds = new Map<string, number>();
  /** Events whose outcome is not reported yet. */
  readonly #unreported: Map<string, TracedEvent>;
  #applied = 0;
  #superseded = 0;
  #dead = 0;
  #conflicts = 0;
  #failed = 0;
  /** Events that were being applied together when the time ran out. */
  #slow: readonly OutboxEvent[] = [];
  #lastFailure: Fault | null = null;
  #settledBefore = 0;
  readonly #appliedCreatedAt: Date[] = [];
  readonly #minimumMillis: number;

  constructor(messages: readonly QueueMessage[], ports: ConsumePorts, options: ConsumeOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#minimumMillis = Math.min(minimumTime.millis, ports.remainingMillis() * minimumTime.share);
    const { readable, unreadable } = readMessages(messages);
    this.#readable = readable;
    this.#unreadable = unreadable;
    this.#unsettled = new Map(messages.map((message) => [message.messageId, message]));
    const ofMessage = Map.groupBy(readable, ({ messageId }) => messageId);
    this.#openEvents = new Map(
      [...ofMessage].map(([id, events]) => [id, new Set(events.map(({ eventId }) => eventId))]),
    );
    this.#unreported = new Map(readable.map(({ eventId }) => [eventId, { eventId }]));
    for (const { messageId } of unreadable) this.#retrySeconds.set(messageId, unreadableRetrySeconds);
  }

  async consume(): Promise<void> {
    await this.#moveUnreadable();
    if (this.#readable.length === 0) return;
    await this.#ports.checkServers();
    const redelivered = eventIdsOf(this.#readable.filter(isRedelivered));
    const [crashed, failed] =
      redelivered.length === 0
        ? [noTrials, noFailures]
        : await Promise.all([this.#ports.readCrashedTrials(redelivered), this.#ports.readFailures(redelivered)]);
    const due = this.#readable.filter((message) => this.#isDue(message, failed.get(message.eventId)));
    const { together, groups, alone, exhausted } = planTrials(due, crashed, failed, this.#options.crashMaxTrials);
    await this.#markCrashed(exhausted);
    await this.#try(together, together.some(isRedelivered) && 'together');
    for (const group of groups) {
      if (this.#isTimeUp()) return;
      await this.#try(group, 'together');
    }
    for (const message of alone) {
      if (this.#isTimeUp()) return;
      const trials = crashed.get(message.eventId);
      if (trials !== undefined) this.#ports.log.eventSuspected(message.eventId, trials);
      await this.#try([message], 'alone');
      if (trials !== undefined) await this.#ports.forgetTrials([message.eventId]);
    }
  }

  /** Whether the error only means that the time ran out after at least one event was settled. */
  isTimeUpAfterProgress(error: unknown): boolean {
    const settled = this.#applied + this.#superseded + this.#dead;
    return error instanceof Fault && error.code === 'time-up' && settled > 0;
  }

  /**
   * Counts a time-out for each event of a chunk that ran out of time while Neo4j responded. Retried
   * together, they would run out of time again, so the next delivery tries them in smaller groups.
   */
  async countSlow(): Promise<void> {
    if (this.#slow.length === 0 || !(await this.#ports.answers())) return;
    // Optional: without the count, the events are retried together.
    await this.#ports.countSlow(this.#slow.map(({ eventId }) => eventId)).catch(() => undefined);
  }

  /** Reports every event without an outcome as retried. */
  reportRetried(code: FaultCode): void {
    for (const event of this.#unreported.values()) this.#ports.log.eventOutcome(event, { outcome: 'retried', code });
    this.#unreported.clear();
  }

  /**
   * Whether the next attempt is due. A message of one event is redelivered when the event is due. A
   * message of several events returns when the first of them is due, which must not cost the others
   * an attempt.
   */
  #isDue({ messageId, eventId }: ReadMessage, past: PastFailures | undefined): boolean {
    if (past === undefined || this.#openEvents.get(messageId)?.size === 1) return true;
    const { conflicts, failures, secondsAgo } = past;
    const afterConflict = conflicts === 0 ? 0 : delayAfter(conflicts, conflictRetrySeconds);
    const afterFailure = failures === null ? 0 : delayAfter(failures, faultRetrySeconds);
    const remaining = Math.ceil(Math.max(afterConflict, afterFailure) - secondsAgo);
    if (remaining <= 1) return true;
    this.#retrySeconds.set(eventId, remaining);
    this.#unreported.delete(eventId);
    return false;
  }

  /**
   * Sets when the messages that stay in the queue are redelivered: when their first event is due.
   */
  async retryUnsettled(): Promise<void> {
    const secondsOf = ({ messageId }: QueueMessage) => {
      const keys = this.#openEvents.get(messageId) ?? [messageId];
      return Math.min(...[...keys].map((key) => this.#retrySeconds.get(key) ?? 0));
    };
    for (const [seconds, messages] of Map.groupBy(this.#unsettled.values(), secondsOf)) {
      await this.#ports.retryLater(messages, seconds);
      if (seconds === 0) this.#ports.log.outOfTime(messages.length);
    }
  }

  report(): ConsumeReport {
    return {
      failedMessageIds: [...this.#unsettled.keys()],
      applied: this.#applied,
      superseded: this.#superseded,
      dead: this.#dead,
      conflicts: this.#conflicts,
      failed: this.#failed,
      lastFailure: this.#lastFailure,
      unreadable: this.#unreadable.length,
      redelivered: new Set(this.#readable.filter(isRedelivered).map(({ messageId }) => messageId)).size,
      settledBefore: this.#settledBefore,
      appliedCreatedAt: this.#appliedCreatedAt,
    };
  }

  async #moveUnreadable(): Promise<void> {
    if (this.#unreadable.length === 0) return;
    for (const { messageId, reason } of this.#unreadable) this.#ports.log.messageUnreadable(messageId, reason);
    for (const { messageId } of await this.#ports.moveToDeadLetters(this.#unreadable))
      this.#unsettled.delete(messageId);
  }

  async #markCrashed(messages: readonly ReadMessage[]): Promise<void> {
    if (messages.length === 0) return;
    const eventIds = eventIdsOf(messages);
    const settlement: Settlement = { outcomes: new Map(), events: new Map() };
    for (const eventId of eventIds) {
      const message =
        `The consumer crashed ${this.#options.crashMaxTrials} times while it processed this event on its own: ` +
        "the event needs too much memory or time. Search the consumer's log for its eventId.";
      settlement.outcomes.set(eventId, { outcome: 'dead', code: 'consumer-crashed', message });
    }
    await this.#record(messages, settlement);
    await this.#ports.forgetTrials(eventIds);
  }

  /** Settles messages. If any of them was redelivered, first records the attempt as a trial. */
  async #try(messages: readonly ReadMessage[], trial: 'together' | 'alone' | false): Promise<void> {
    if (messages.length === 0) return;
    if (trial === false) return this.#settle(messages);
    const maxMillis = this.#ports.remainingMillis();
    const eventIds = eventIdsOf(messages);
    const trialId = await this.#ports.beginTrial({ eventIds, alone: trial === 'alone', maxMillis });
    try {
      await this.#settle(messages);
    } finally {
      await this.#ports.endTrial(trialId);
    }
  }

  /**
   * Settles chunk by chunk. While one chunk is applied, it fetches the next one and acknowledges
   * the previous one.
   */
  async #settle(messages: readonly ReadMessage[]): Promise<void> {
    const byEvent = Map.groupBy(messages, ({ eventId }) => eventId);
    const found = new Set<string>();
    let recording: Promise<void> = Promise.resolve();
    try {
      for await (const chunk of prefetch(this.#ports.fetchEvents([...byEvent.keys()]))) {
        const fetched = chunk.read();
        for (const { event } of fetched) found.add(event.eventId);
        const settlement: Settlement = { outcomes: new Map(), events: new Map() };
        const chunkMessages = fetched.flatMap(({ event }) => byEvent.get(event.eventId) ?? []);
        try {
          const pending = this.#beginChunk(fetched, byEvent, settlement);
          await this.#prepareTypes(pending);
          await this.#apply(pending, settlement);
        } finally {
          // Also after a failure, so that settled events are not applied again.
          await recording;
          recording = this.#record(chunkMessages, settlement);
          recording.catch(() => undefined);
        }
        if (this.#isTimeUp()) return;
      }
    } finally {
      await recording;
    }
    for (const [eventId, purged] of byEvent) if (!found.has(eventId)) this.#settledEarlier({ eventId }, purged);
  }

  async #apply(pending: readonly OutboxEvent[], settlement: Settlement): Promise<void> {
    try {
      await settleEvents(pending, this.#ports, settlement);
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'time-up') throw error;
      const slow = pending.filter(({ eventId }) => !settlement.outcomes.has(eventId));
      if (pending.length > 1) {
        this.#slow = slow;
        throw error;
      }
      const [only] = slow;
      if (only === undefined || !(await this.#ports.answers())) throw error;
      settlement.outcomes.set(only.eventId, { outcome: 'failed', fault: error });
    }
  }

  /** Whether too little time remains for another chunk. */
  #isTimeUp(): boolean {
    return this.#ports.remainingMillis() < this.#minimumMillis;
  }

  async #prepareTypes(pending: readonly OutboxEvent[]): Promise<void> {
    const types = new Set(pending.map(({ aggregateType }) => aggregateType));
    for (const type of await this.#ports.prepareTypes(types)) this.#ports.log.typeUnknown(type);
  }

  /**
   * Returns the pending events of a chunk. Sets the outcome of invalid events, and lets settled
   * events leave the queue.
   */
  #beginChunk(
    fetched: readonly FetchedEvent[],
    byEvent: ReadonlyMap<string, readonly ReadMessage[]>,
    { outcomes }: Settlement,
  ): readonly OutboxEvent[] {
    return fetched.flatMap((item) => {
      const { event, status } = item;
      this.#unreported.set(event.eventId, event);
      if (status === 'pending') return [item.event];
      if (status === 'invalid') outcomes.set(event.eventId, { outcome: 'dead', code: item.code, message: item.reason });
      else this.#settledEarlier(event, byEvent.get(event.eventId) ?? []);
      return [];
    });
  }

  #settledEarlier(event: TracedEvent, messages: readonly ReadMessage[]): void {
    for (const message of messages) this.#markSettled(message);
    this.#settledBefore += messages.length;
    this.#reportOutcome(event, { outcome: 'settled-before' });
  }

  /** Marks one event of a message settled. The message leaves the queue with its last event. */
  #markSettled({ messageId, eventId }: Pick<ReadMessage, 'messageId' | 'eventId'>): void {
    const open = this.#openEvents.get(messageId);
    open?.delete(eventId);
    if (open?.size === 0) this.#unsettled.delete(messageId);
  }

  async #record(messages: readonly ReadMessage[], settlement: Settlement): Promise<void> {
    const requested = new Set(eventIdsOf(messages));
    const reportOutcome: RecordPorts['reportOutcome'] = (eventId, outcome) =>
      this.#reportOutcome(settlement.events.get(eventId) ?? this.#unreported.get(eventId) ?? { eventId }, outcome);
    const recorded = await recordSettlement(settlement, requested, { ...this.#ports, reportOutcome }, this.#options);
    const settled = new Set([...recorded.applied, ...recorded.superseded, ...recorded.dead]);
    for (const { messageId, eventId } of messages) {
      if (settled.has(eventId)) this.#markSettled({ messageId, eventId });
      const conflicts = recorded.inConflict.get(eventId);
      if (conflicts !== undefined) this.#retrySeconds.set(eventId, delayAfter(conflicts, conflictRetrySeconds));
      const failures = recorded.failed.get(eventId);
      if (failures !== undefined) this.#retrySeconds.set(eventId, delayAfter(failures, faultRetrySeconds));
    }
    this.#applied += recorded.applied.length;
    this.#superseded += recorded.superseded.length;
    this.#dead += recorded.dead.length;
    this.#conflicts += recorded.inConflict.size;
    this.#failed += recorded.failed.size;
    this.#lastFailure = recorded.lastFailure ?? this.#lastFailure;
    for (const eventId of recorded.applied) {
      const event = settlement.events.get(eventId);
      if (event !== undefined) this.#appliedCreatedAt.push(event.createdAt);
    }
  }

  #reportOutcome(event: TracedEvent, outcome: ReportedOutcome): void {
    this.#unreported.delete(event.eventId);
    this.#ports.log.eventOutcome(event, outcome);
  }
}

/** Yields the same chunks, but requests the next chunk before the current one is processed. */
async function* prefetch(chunks: AsyncIterable<EventChunk>): AsyncGenerator<EventChunk> {
  const iterator = chunks[Symbol.asyncIterator]();
  const requestNext = () => {
    const next = iterator.next();
    // The loop below handles the error. Until then it must not count as unhandled.
    next.catch(() => undefined);
    return next;
  };
  try {
    let next = requestNext();
    for (;;) {
      const { done, value } = await next;
      if (done === true) return;
      next = requestNext();
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}

function eventIdsOf(messages: readonly ReadMessage[]): readonly string[] {
  return [...new Set(messages.map(({ eventId }) => eventId))];
}
