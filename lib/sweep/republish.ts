/**
 * Republishes stale events within a budget: however long an outage lasts, the queue never holds
 * more than two pointers for each pending event. Events that it does not send keep their attempts
 * and schedule. If the process ends between claim and send, the event becomes due again, like one
 * that was sent.
 */
import pMap from 'p-map';
import { canaryAggregate } from '../contract/canary.ts';
import { intoCalls, type Pack } from '../contract/pointer.ts';
import type { Position } from '../contract/position.ts';
import type { DeadEvent } from '../outbox/dead-event.ts';
import { type CanaryPorts, maxWaitingCanaries } from './canary.ts';
import { scheduleAttempt } from './schedule.ts';
import type { Rescheduling, StaleEvent, StaleQuery } from './stale-event.ts';

/** The ports of `republish`. */
export interface RepublishPorts {
  readonly readServerTime: () => Promise<Date>;
  readonly countBacklog: () => Promise<number>;
  readonly countStale: (staleBefore: Date, limit: number) => Promise<number>;
  readonly findStale: (query: StaleQuery) => Promise<readonly StaleEvent[]>;
  readonly readLastProcessed: () => Promise<Date | null>;
  readonly readWaitingCanaries: CanaryPorts['readWaitingCanaries'];
  /**
   * Changes the schedules that are still as they were read, and returns the ids of exactly those
   * events, so that no two sweeps claim the same one.
   */
  readonly reschedulePending: (changes: readonly Rescheduling[]) => Promise<ReadonlySet<string>>;
  /** Whether the event is certainly in the queue: if so, no copy is sent and no attempt counts. */
  readonly isWaiting: (eventId: string) => boolean;
  /** Sends the packs of one call to the queue, and returns those that it refused. */
  readonly sendToQueue: (packs: readonly Pack[]) => Promise<readonly Pack[]>;
  readonly markDead: (events: readonly DeadEvent[]) => Promise<number>;
  readonly remainingMillis: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: RepublishLog;
}

/** Log of single events. */
export interface RepublishLog {
  /** The queue accepted it. The attempt is already counted, if it counts. */
  readonly eventRepublished: (event: StaleEvent) => void;
  /** Republished the maximum number of times: it is dead. */
  readonly eventExhausted: (event: StaleEvent) => void;
  /** The queue refused it, or time ran out. The next sweep retries it. */
  readonly eventNotRepublished: (event: StaleEvent) => void;
}

export interface RepublishOptions {
  readonly staleSeconds: number;
  readonly maxAttempts: number;
  /** Maximum number of pointers in a message. */
  readonly pointersPerEntry: number;
}

/** Numbers of pending events; the sweep's canaries are separate. */
export interface PendingEvents {
  readonly events: number;
  readonly canaries: number;
}

/** The result of one pass. */
export interface RepublishReport {
  readonly republished: number;
  /** Refused by the queue; their claims were released. */
  readonly refused: number;
  readonly exhausted: number;
  /** Stale events that already wait in the queue, according to its count. */
  readonly leftToQueue: number;
  readonly queueBacklog: number;
}

/** Maximum number of pointers in the queue for each pending event: the original and one more. */
const pointersPerEvent = 2;

const chunkEvents = 500;
const concurrentCalls = 10;

/** Stops with this much time remaining. */
const reserveMillis = 5_000;

/**
 * An event that is stale for this many times the limit is republished whatever the queue's length:
 * its message may be lost among many others. Its copies may be lost too: once this time has passed
 * since its back-off, one more is sent, if anything was settled meanwhile.
 */
const overdueFactor = 10;

/**
 * Republishes stale events while budget and time remain.
 *
 * @param pending the numbers of pending events.
 * @throws Fault `mongodb-unavailable` or `queue-unavailable`; completed sends and claims stay.
 */
export async function republish(
  ports: RepublishPorts,
  options: RepublishOptions,
  pending: PendingEvents,
): Promise<RepublishReport> {
  const now = await ports.readServerTime();
  const queueBacklog = await ports.countBacklog();
  // SQS counts messages, and each may hold a full pack.
  const stale = await ports.countStale(
    secondsBefore(now, options.staleSeconds),
    queueBacklog * options.pointersPerEntry + 1,
  );
  // The waiting messages may hold all stale events: the consumer is slow or stopped, and more
  // copies would not help. Subtract the canaries, because as many of the waiting messages are
  // theirs.
  const waiting = Math.max(0, queueBacklog - pending.canaries) * options.pointersPerEntry;
  const explained = stale > 0 && stale <= waiting;
  const lastProcessed = await ports.readLastProcessed();
  // Everything sent before the oldest waiting canary has been received.
  const { oldest } = await ports.readWaitingCanaries(maxWaitingCanaries);
  const settledUntil = lastProcessed === null ? null : earlierOf(lastProcessed, oldest ?? now);
  const overdue = lastProcessed === null ? null : secondsBefore(lastProcessed, options.staleSeconds * overdueFactor);
  const pass = new Pass(ports, {
    staleBefore: secondsBefore(now, options.staleSeconds * (explained ? overdueFactor : 1)),
    maxAttempts: options.maxAttempts,
    pointersPerEntry: options.pointersPerEntry,
    budget: Math.max(0, pointersPerEvent * (pending.events + pending.canaries) - queueBacklog),
    settledUntil,
    // The waiting messages may be copies that an earlier pass sent. Canaries may be lost too, so
    // after some time any settled event is enough.
    dueBy: queueBacklog === 0 ? now : laterOf(settledUntil, overdue),
  });
  await pass.run();
  const { republished, refused, exhausted } = pass;
  return { republished, refused, exhausted, leftToQueue: explained ? stale : 0, queueBacklog };
}

interface PassLimits {
  readonly staleBefore: Date;
  readonly maxAttempts: number;
  readonly pointersPerEntry: number;
  readonly budget: number;
  readonly settledUntil: Date | null;
  /** An event that was republished before is due if its back-off ended by this time. */
  readonly dueBy: Date;
}

/**
 * The result of sending claimed events. `failure` is the error of a whole call. The queue may have
 * accepted its events, but they count as not sent.
 */
interface Sending {
  readonly sent: number;
  readonly unsent: readonly Rescheduling[];
  readonly failure: { readonly error: unknown } | null;
}

/** A stale event that this pass may send, with the change of its schedule. */
interface ClaimedEvent extends StaleEvent {
  readonly change: Rescheduling;
}

/** The state of one pass through the stale events, sorted by position. */
class Pass {
  republished = 0;
  refused = 0;
  exhausted = 0;
  readonly #ports: RepublishPorts;
  readonly #limits: PassLimits;

  constructor(ports: RepublishPorts, limits: PassLimits) {
    this.#ports = ports;
    this.#limits = limits;
  }

  async run(): Promise<void> {
    let after: Position | null = null;
    while (this.#remaining() > 0 && this.#hasTime()) {
      const now = await this.#ports.readServerTime();
      const limit = Math.min(chunkEvents, this.#remaining());
      const { staleBefore, dueBy } = this.#limits;
      const chunk = await this.#ports.findStale({ staleBefore, dueBy, after, limit });
      const last = chunk.at(-1);
      if (last === undefined) return;
      after = last.position;
      const missing = chunk.filter(({ eventId }) => !this.#ports.isWaiting(eventId));
      const exhausted = missing.filter((event) => this.#isExhausted(event));
      if (exhausted.length > 0) this.exhausted += await this.#ports.markDead(exhausted.map(exhaustedEvent));
      for (const event of exhausted) this.#ports.log.eventExhausted(event);
      const retried = missing.filter((event) => !this.#isExhausted(event));
      if (!(await this.#sendAgain(retried, now))) return;
    }
  }

  /** The remaining budget. */
  #remaining(): number {
    return this.#limits.budget - this.republished;
  }

  #hasTime(): boolean {
    return this.#ports.remainingMillis() > reserveMillis;
  }

  /** A canary is never exhausted: the next one that is processed settles it. */
  #isExhausted(event: StaleEvent): boolean {
    return event.attempts >= this.#limits.maxAttempts && event.aggregateType !== canaryAggregate.aggregateType;
  }

  /**
   * Claims events, sends the claimed ones, and releases those that it could not send. Returns false
   * if the queue is full.
   */
  async #sendAgain(events: readonly StaleEvent[], now: Date): Promise<boolean> {
    if (events.length === 0) return true;
    const conditions = { now, settledUntil: this.#limits.settledUntil, random: this.#ports.random };
    const changed = events.map((event) => ({
      ...event,
      change: { eventId: event.eventId, from: scheduleOf(event), to: scheduleAttempt(event, conditions) },
    }));
    const ids = await this.#ports.reschedulePending(changed.map(({ change }) => change));
    const claimed = changed.filter(({ eventId }) => ids.has(eventId));
    const { sent, unsent, failure } = await this.#send(claimed);
    this.republished += sent;
    if (unsent.length > 0) {
      await this.#ports.reschedulePending(unsent.map(({ eventId, from, to }) => ({ eventId, from: to, to: from })));
    }
    if (failure !== null) throw failure.error;
    return claimed.length === 0 || sent > 0;
  }

  async #send(claimed: readonly ClaimedEvent[]): Promise<Sending> {
    const unsent: Rescheduling[] = [];
    let failure: Sending['failure'] = null;
    const sendCall = async (packs: readonly Pack<ClaimedEvent>[]) => {
      let refused: readonly Pack[] = packs;
      if (failure === null && this.#hasTime()) {
        try {
          refused = await this.#ports.sendToQueue(packs);
          this.refused += refused.flat().length;
        } catch (error) {
          failure = { error };
        }
      }
      for (const pack of packs) {
        const isRefused = refused.includes(pack);
        for (const { change, ...event } of pack) {
          if (!isRefused) this.#ports.log.eventRepublished({ ...event, ...change.to });
          else {
            unsent.push(change);
            this.#ports.log.eventNotRepublished(event);
          }
        }
      }
    };
    await pMap(intoCalls(claimed, this.#limits.pointersPerEntry), sendCall, { concurrency: concurrentCalls });
    return { sent: claimed.length - unsent.length, unsent, failure };
  }
}

function scheduleOf({ attempts, nextAttemptAt }: StaleEvent): Rescheduling['from'] {
  return { attempts, nextAttemptAt };
}

function exhaustedEvent({ eventId, attempts }: StaleEvent): DeadEvent {
  return {
    eventId,
    code: 'attempts-exhausted',
    message:
      `Published again ${attempts} times while other events were settled, but ` +
      "never settled itself. Search the consumer's log for its eventId.",
  };
}

function earlierOf(one: Date, other: Date): Date {
  return one < other ? one : other;
}

/** The later of two times; the epoch if neither is known. */
function laterOf(one: Date | null, other: Date | null): Date {
  return new Date(Math.max(one?.getTime() ?? 0, other?.getTime() ?? 0));
}

function secondsBefore(now: Date, seconds: number): Date {
  return new Date(now.getTime() - seconds * 1000);
}
