/**
 * Publishes again what has been pending too long, within a budget: however long an outage lasts, the queue never holds
 * more than two messages for each pending event. What it does not send keeps its attempts and its place; should the
 * process end between claim and send, the event comes up again after its back-off.
 */
import pMap from 'p-map';
import { canaryAggregate } from '../contract/canary.ts';
import { type Pointer, pointersPerCall } from '../contract/pointer.ts';
import type { Position } from '../contract/position.ts';
import type { DeadEvent } from '../outbox/dead-event.ts';
import { inChunks } from '../runtime/in-chunks.ts';
import { scheduleAttempt } from './schedule.ts';
import type { Rescheduling, StaleEvent, StaleQuery } from './stale-event.ts';

/** What publishing again needs. */
export interface RepublishPorts {
  readonly readServerTime: () => Promise<Date>;
  readonly countBacklog: () => Promise<number>;
  readonly countStale: (staleBefore: Date, limit: number) => Promise<number>;
  readonly findStale: (query: StaleQuery) => Promise<readonly StaleEvent[]>;
  readonly readLastProcessed: () => Promise<Date | null>;
  /**
   * Changes the schedules that are still as they were seen, and returns the ids of exactly those events: no two sweeps
   * get the same one.
   */
  readonly reschedulePending: (changes: readonly Rescheduling[]) => Promise<ReadonlySet<string>>;
  /** Whether the event is certainly in the queue: it is neither sent again nor an attempt counted. */
  readonly isWaiting: (eventId: string) => boolean;
  /** Sends at most ten pointers to the queue, and returns those that it refused. */
  readonly sendToQueue: (pointers: readonly Pointer[]) => Promise<readonly Pointer[]>;
  readonly markDead: (events: readonly DeadEvent[]) => Promise<number>;
  readonly remainingMillis: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: RepublishLog;
}

/** What is said of single events. */
export interface RepublishLog {
  /** The queue took it; the attempt is counted already, if it counts. */
  readonly eventRepublished: (event: StaleEvent) => void;
  /** Published again as often as may be: it is dead. */
  readonly eventExhausted: (event: StaleEvent) => void;
  /** The queue did not take it, or the time was up: the next sweep has it again. */
  readonly eventNotRepublished: (event: StaleEvent) => void;
}

export interface RepublishOptions {
  readonly staleSeconds: number;
  readonly maxAttempts: number;
}

/** Pending events; the sweep's own apart. */
export interface PendingEvents {
  readonly events: number;
  readonly canaries: number;
}

/** What publishing again came to. */
export interface RepublishReport {
  readonly republished: number;
  /** Refused by the queue; their claims are given back. */
  readonly refused: number;
  readonly exhausted: number;
  /** Stale events that wait in the queue already, by its own count. */
  readonly leftToQueue: number;
  readonly queueBacklog: number;
}

/** The queue holds at most this many messages for each pending event: the one on its way, and one again. */
const messagesPerEvent = 2;

const chunkEvents = 500;
const concurrentCalls = 10;

/** Stops with this much of its time left. */
const leaveMillis = 5_000;

/**
 * Stale for this many times the limit, an event is published again whatever the queue's length: its message may have
 * got lost among many others.
 */
const overdueFactor = 10;

/**
 * Publishes again as much as budget and time allow.
 *
 * @param pending how many events are pending.
 * @throws Fault `mongodb-unavailable` or `queue-unavailable`; what was done stays done.
 */
export async function republish(
  ports: RepublishPorts,
  options: RepublishOptions,
  pending: PendingEvents,
): Promise<RepublishReport> {
  const now = await ports.readServerTime();
  const queueBacklog = await ports.countBacklog();
  const stale = await ports.countStale(secondsBefore(now, options.staleSeconds), queueBacklog + 1);
  // As many messages wait as events are stale: the consumer is slow or stopped, and more copies would not help it.
  // A canary is not: of the messages that wait, as many are its own.
  const explained = stale > 0 && stale <= queueBacklog - pending.canaries;
  const pass = new Pass(ports, {
    staleBefore: secondsBefore(now, options.staleSeconds * (explained ? overdueFactor : 1)),
    maxAttempts: options.maxAttempts,
    budget: Math.max(0, messagesPerEvent * (pending.events + pending.canaries) - queueBacklog),
  });
  await pass.run();
  const { republished, refused, exhausted } = pass;
  return { republished, refused, exhausted, leftToQueue: explained ? stale : 0, queueBacklog };
}

interface PassLimits {
  readonly staleBefore: Date;
  readonly maxAttempts: number;
  readonly budget: number;
}

/**
 * What became of claimed events; `failure` is that of a whole call, whose events may have been taken: they count as not
 * sent.
 */
interface Sending {
  readonly sent: number;
  readonly unsent: readonly Rescheduling[];
  readonly failure: { readonly error: unknown } | null;
}

/** The state of one pass through the stale events, in the order of their positions. */
class Pass {
  republished = 0;
  refused = 0;
  exhausted = 0;
  readonly #ports: RepublishPorts;
  readonly #limits: PassLimits;
  #lastProcessed: Date | null = null;

  constructor(ports: RepublishPorts, limits: PassLimits) {
    this.#ports = ports;
    this.#limits = limits;
  }

  async run(): Promise<void> {
    this.#lastProcessed = await this.#ports.readLastProcessed();
    let after: Position | null = null;
    while (this.#left() > 0 && this.#hasTime()) {
      const now = await this.#ports.readServerTime();
      const limit = Math.min(chunkEvents, this.#left());
      const chunk = await this.#ports.findStale({ staleBefore: this.#limits.staleBefore, now, after, limit });
      const last = chunk.at(-1);
      if (last === undefined) return;
      after = last.position;
      const missing = chunk.filter(({ eventId }) => !this.#ports.isWaiting(eventId));
      const worn = missing.filter((event) => this.#isWorn(event));
      if (worn.length > 0) this.exhausted += await this.#ports.markDead(worn.map(exhaustedEvent));
      for (const event of worn) this.#ports.log.eventExhausted(event);
      const again = missing.filter((event) => !this.#isWorn(event));
      if (!(await this.#sendAgain(again, now))) return;
    }
  }

  /** What the budget still allows. */
  #left(): number {
    return this.#limits.budget - this.republished;
  }

  #hasTime(): boolean {
    return this.#ports.remainingMillis() > leaveMillis;
  }

  /** A canary never ends: the next one that comes through settles it. */
  #isWorn(event: StaleEvent): boolean {
    return event.attempts >= this.#limits.maxAttempts && event.aggregateType !== canaryAggregate.aggregateType;
  }

  /**
   * Claims events, sends what could be claimed, and gives back what could not be sent. False: the queue takes nothing.
   */
  async #sendAgain(events: readonly StaleEvent[], now: Date): Promise<boolean> {
    if (events.length === 0) return true;
    const conditions = { now, lastProcessed: this.#lastProcessed, random: this.#ports.random };
    const changes = events.map((event) => ({
      event,
      change: { eventId: event.eventId, from: scheduleOf(event), to: scheduleAttempt(event, conditions) },
    }));
    const ids = await this.#ports.reschedulePending(changes.map(({ change }) => change));
    const claimed = changes.filter(({ event }) => ids.has(event.eventId));
    const { sent, unsent, failure } = await this.#send(claimed);
    this.republished += sent;
    if (unsent.length > 0) {
      await this.#ports.reschedulePending(unsent.map(({ eventId, from, to }) => ({ eventId, from: to, to: from })));
    }
    if (failure !== null) throw failure.error;
    return claimed.length === 0 || sent > 0;
  }

  async #send(claimed: readonly { readonly event: StaleEvent; readonly change: Rescheduling }[]): Promise<Sending> {
    const unsent: Rescheduling[] = [];
    let failure: Sending['failure'] = null;
    const sendSome = async (some: typeof claimed) => {
      let refused: ReadonlySet<string> = new Set(some.map(({ event }) => event.eventId));
      if (failure === null && this.#hasTime()) {
        try {
          const answer = await this.#ports.sendToQueue(some.map(({ event }) => pointerTo(event)));
          refused = new Set(answer.map(({ eventId }) => eventId));
          this.refused += refused.size;
        } catch (error) {
          failure = { error };
        }
      }
      for (const { event, change } of some) {
        if (!refused.has(event.eventId)) this.#ports.log.eventRepublished({ ...event, ...change.to });
        else {
          unsent.push(change);
          this.#ports.log.eventNotRepublished(event);
        }
      }
    };
    await pMap(inChunks(claimed, pointersPerCall), sendSome, { concurrency: concurrentCalls });
    return { sent: claimed.length - unsent.length, unsent, failure };
  }
}

function pointerTo({ eventId, aggregateType, aggregateId }: StaleEvent): Pointer {
  return { eventId, aggregateType, aggregateId };
}

function scheduleOf({ attempts, nextAttemptAt }: StaleEvent): Rescheduling['from'] {
  return { attempts, nextAttemptAt };
}

function exhaustedEvent({ eventId, attempts }: StaleEvent): DeadEvent {
  return {
    eventId,
    code: 'attempts-exhausted',
    message: `Published again ${attempts} times while other events were settled, and never settled itself. Look for its eventId in the consumer's log.`,
  };
}

function secondsBefore(now: Date, seconds: number): Date {
  return new Date(now.getTime() - seconds * 1000);
}
