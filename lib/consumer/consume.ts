/**
 * The consumer's flow, from a batch of queue messages to which of them stay in the queue: read the pointers, fetch
 * their events portion by portion, settle them in the graph, mark the dead, acknowledge the rest. A message leaves the
 * queue only when its event is settled in MongoDB, or was before, or when it cannot be read and the dead-letter queue
 * has it.
 */
import { describeError, Fault, type FaultCode } from '../contract/fault.ts';
import type { OutboxEvent } from '../contract/outbox-event.ts';
import type { TracedEvent } from '../contract/traceparent.ts';
import type { EventPortion, FetchedEvent } from '../outbox/fetched-event.ts';
import { planTrials } from './plan-trials.ts';
import type { ConsumeOptions, ConsumePorts, ConsumeReport, ToldOutcome } from './ports.ts';
import type { QueueMessage, ReadMessage, UnreadableMessage } from './queue-message.ts';
import { readMessages } from './read-messages.ts';
import { type RecordPorts, recordSettlement } from './record-settlement.ts';
import { type Settlement, settleEvents } from './settle-events.ts';
import type { BrokenTrials, PastFailures } from './trial.ts';

const noTrials: ReadonlyMap<string, BrokenTrials> = new Map();
const noFailures: ReadonlyMap<string, PastFailures> = new Map();

/** A message of this receive count or more has been begun before, and may be what ended the process. */
const secondReceive = 2;

/**
 * One more portion, or one more event alone, is not begun with less time than this, or than this share of the
 * invocation's time.
 */
const minimum = { millis: 15_000, share: 0.75 };

/**
 * After a fault of a server, a message comes again after this, doubled with each receive, less up to half by chance: a
 * failover costs seconds, everything is taken up within a minute of the server's return, and a message is received a
 * thousand times only in an outage of eight hours.
 */
const faultRetrySeconds = { first: 5, most: 40 };

/** What the dead-letter queue did not take comes again after this. */
const unreadableRetrySeconds = 30;

/** A conflict comes again after this, doubled each time. */
const conflictRetrySeconds = { first: 30, most: 480 };

/**
 * Consumes a batch of messages.
 *
 * @throws Fault that is no data fault: MongoDB or Neo4j is not available; what was settled by then is acknowledged, and
 * Lambda backs off.
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
    batch.tellRetried(describeError(error).code);
    await batch.noteSlow();
    if (!batch.stopsInTime(error)) {
      await comeAgainAfterFault(messages, ports);
      throw error;
    }
  }
  batch.tellRetried('time-up');
  await batch.returnUnsettled();
  return batch.report();
}

async function comeAgainAfterFault(messages: readonly QueueMessage[], ports: ConsumePorts): Promise<void> {
  const { first, most } = faultRetrySeconds;
  const share = 1 - ports.random() / 2;
  const secondsOf = ({ receiveCount }: QueueMessage) =>
    Math.ceil(Math.min(first * 2 ** (receiveCount - 1), most) * share);
  for (const [seconds, some] of Map.groupBy(messages, secondsOf)) await ports.comeAgain(some, seconds);
}

/** The state of one invocation. */
class Batch {
  readonly #ports: ConsumePorts;
  readonly #options: ConsumeOptions;
  readonly #readable: readonly ReadMessage[];
  readonly #unreadable: readonly UnreadableMessage[];
  /** The messages that stay in the queue, until they are settled. */
  readonly #unsettled: Map<string, QueueMessage>;
  /** By message: how many seconds until it comes again. */
  readonly #waits = new Map<string, number>();
  /** The events whose outcome was not told yet. */
  readonly #untold: Map<string, TracedEvent>;
  #applied = 0;
  #superseded = 0;
  #dead = 0;
  #conflicts = 0;
  #failed = 0;
  /** The events that were being applied together when the time was up. */
  #slow: readonly OutboxEvent[] = [];
  #lastFailure: Fault | null = null;
  #settledBefore = 0;
  readonly #appliedCreatedAt: Date[] = [];
  readonly #minimumMillis: number;

  constructor(messages: readonly QueueMessage[], ports: ConsumePorts, options: ConsumeOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#minimumMillis = Math.min(minimum.millis, ports.remainingMillis() * minimum.share);
    const { readable, unreadable } = readMessages(messages);
    this.#readable = readable;
    this.#unreadable = unreadable;
    this.#unsettled = new Map(messages.map((message) => [message.messageId, message]));
    this.#untold = new Map(readable.map(({ eventId }) => [eventId, { eventId }]));
    for (const { messageId } of unreadable) this.#waits.set(messageId, unreadableRetrySeconds);
  }

  async consume(): Promise<void> {
    await this.#moveUnreadable();
    if (this.#readable.length === 0) return;
    await this.#ports.checkServers();
    const again = eventIdsOf(this.#readable.filter(({ receiveCount }) => receiveCount >= secondReceive));
    const [broken, failed] =
      again.length === 0
        ? [noTrials, noFailures]
        : await Promise.all([this.#ports.readBrokenTrials(again), this.#ports.readFailures(again)]);
    const { together, groups, alone, givenUp } = planTrials(
      this.#readable,
      broken,
      failed,
      this.#options.crashMaxTrials,
    );
    await this.#giveUp(givenUp);
    await this.#try(together, together.some(({ receiveCount }) => receiveCount >= secondReceive) && 'together');
    for (const group of groups) {
      if (this.#isTimeUp()) return;
      await this.#try(group, 'together');
    }
    for (const message of alone) {
      if (this.#isTimeUp()) return;
      const trials = broken.get(message.eventId);
      if (trials !== undefined) this.#ports.log.eventSuspected(message.eventId, trials);
      await this.#try([message], 'alone');
      if (trials !== undefined) await this.#ports.forgetTrials([message.eventId]);
    }
  }

  /** Whether the error means no more than that the time is up, and something was settled in it. */
  stopsInTime(error: unknown): boolean {
    const settled = this.#applied + this.#superseded + this.#dead;
    return error instanceof Fault && error.code === 'time-up' && settled > 0;
  }

  /**
   * A portion that was not applied in time, while Neo4j answers, would run out of time again: its events are tried in
   * smaller groups.
   */
  async noteSlow(): Promise<void> {
    if (this.#slow.length === 0 || !(await this.#ports.answers())) return;
    // It only saves time: what cannot be noted is tried together again.
    await this.#ports.noteSlow(this.#slow.map(({ eventId }) => eventId)).catch(() => undefined);
  }

  /** Tells that the events without an outcome come again. */
  tellRetried(code: FaultCode): void {
    for (const event of this.#untold.values()) this.#ports.log.eventOutcome(event, { outcome: 'retried', code });
    this.#untold.clear();
  }

  /** Says when the messages that stay in the queue shall come again. */
  async returnUnsettled(): Promise<void> {
    const secondsOf = ({ messageId }: QueueMessage) => this.#waits.get(messageId) ?? 0;
    for (const [seconds, messages] of Map.groupBy(this.#unsettled.values(), secondsOf)) {
      await this.#ports.comeAgain(messages, seconds);
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
      redelivered: this.#readable.filter(({ receiveCount }) => receiveCount >= secondReceive).length,
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

  async #giveUp(messages: readonly ReadMessage[]): Promise<void> {
    if (messages.length === 0) return;
    const eventIds = eventIdsOf(messages);
    const settlement: Settlement = { outcomes: new Map(), events: new Map() };
    for (const eventId of eventIds) {
      const message = `Begun alone ${this.#options.crashMaxTrials} times, and each time the consumer's process ended before it was done: it takes too much memory or time. Look for its eventId in the consumer's log.`;
      settlement.outcomes.set(eventId, { outcome: 'dead', code: 'consumer-crashed', message });
    }
    await this.#record(messages, settlement);
    await this.#ports.forgetTrials(eventIds);
  }

  /** Settles messages; as a trial that is written down, where one of them was begun before. */
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

  /** While one portion is applied, the next one is fetched, and the one before is acknowledged. */
  async #settle(messages: readonly ReadMessage[]): Promise<void> {
    const byEvent = Map.groupBy(messages, ({ eventId }) => eventId);
    const found = new Set<string>();
    let recording: Promise<void> = Promise.resolve();
    try {
      for await (const portion of oneAhead(this.#ports.fetchEvents([...byEvent.keys()]))) {
        const fetched = portion.read();
        for (const { event } of fetched) found.add(event.eventId);
        const settlement: Settlement = { outcomes: new Map(), events: new Map() };
        const some = fetched.flatMap(({ event }) => byEvent.get(event.eventId) ?? []);
        try {
          const pending = this.#beginPortion(fetched, byEvent, settlement);
          await this.#prepareTypes(pending);
          await this.#apply(pending, settlement);
        } finally {
          // Also when the rest failed, so that what is settled is not done again.
          await recording;
          recording = this.#record(some, settlement);
          recording.catch(() => undefined);
        }
        if (this.#isTimeUp()) return;
      }
    } finally {
      await recording;
    }
    for (const [eventId, gone] of byEvent) if (!found.has(eventId)) this.#wasSettled({ eventId }, gone);
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

  /** Whether there is too little time left for one more portion. */
  #isTimeUp(): boolean {
    return this.#ports.remainingMillis() < this.#minimumMillis;
  }

  async #prepareTypes(pending: readonly OutboxEvent[]): Promise<void> {
    const types = new Set(pending.map(({ aggregateType }) => aggregateType));
    for (const type of await this.#ports.prepareTypes(types)) this.#ports.log.typeUnknown(type);
  }

  /**
   * The pending events of a portion. The invalid ones have their outcome, and those that are settled leave the queue.
   */
  #beginPortion(
    fetched: readonly FetchedEvent[],
    byEvent: ReadonlyMap<string, readonly ReadMessage[]>,
    { outcomes }: Settlement,
  ): readonly OutboxEvent[] {
    return fetched.flatMap((item) => {
      const { event, status } = item;
      this.#untold.set(event.eventId, event);
      if (status === 'pending') return [item.event];
      if (status === 'invalid') outcomes.set(event.eventId, { outcome: 'dead', code: item.code, message: item.reason });
      else this.#wasSettled(event, byEvent.get(event.eventId) ?? []);
      return [];
    });
  }

  #wasSettled(event: TracedEvent, messages: readonly ReadMessage[]): void {
    for (const { messageId } of messages) this.#unsettled.delete(messageId);
    this.#settledBefore += messages.length;
    this.#tell(event, { outcome: 'settled-before' });
  }

  async #record(messages: readonly ReadMessage[], settlement: Settlement): Promise<void> {
    const asked = new Set(eventIdsOf(messages));
    const told: RecordPorts['told'] = (eventId, outcome) =>
      this.#tell(settlement.events.get(eventId) ?? this.#untold.get(eventId) ?? { eventId }, outcome);
    const recorded = await recordSettlement(settlement, asked, { ...this.#ports, told }, this.#options);
    const done = new Set([...recorded.applied, ...recorded.superseded, ...recorded.dead]);
    for (const { messageId, eventId } of messages) {
      if (done.has(eventId)) this.#unsettled.delete(messageId);
      const conflicts = recorded.inConflict.get(eventId);
      if (conflicts !== undefined) this.#waits.set(messageId, waitSeconds(conflictRetrySeconds, conflicts));
      const failures = recorded.failed.get(eventId);
      if (failures !== undefined) this.#waits.set(messageId, waitSeconds(faultRetrySeconds, failures));
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

  #tell(event: TracedEvent, outcome: ToldOutcome): void {
    this.#untold.delete(event.eventId);
    this.#ports.log.eventOutcome(event, outcome);
  }
}

/** Doubled each time. */
function waitSeconds({ first, most }: { readonly first: number; readonly most: number }, times: number): number {
  return Math.min(first * 2 ** Math.max(0, times - 1), most);
}

/** The same portions; the next one is asked for before the one at hand is done. */
async function* oneAhead(portions: AsyncIterable<EventPortion>): AsyncGenerator<EventPortion> {
  const iterator = portions[Symbol.asyncIterator]();
  const ask = () => {
    const next = iterator.next();
    // The consumer of the portion handles the error; until then it must not count as unhandled.
    next.catch(() => undefined);
    return next;
  };
  try {
    let next = ask();
    for (;;) {
      const { done, value } = await next;
      if (done === true) return;
      next = ask();
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}

function eventIdsOf(messages: readonly ReadMessage[]): readonly string[] {
  return [...new Set(messages.map(({ eventId }) => eventId))];
}
