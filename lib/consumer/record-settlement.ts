/**
 * Records outcomes in the outbox: marks dead events with their reasons, then acknowledges the rest.
 */

import type { DataFaultCode, Fault, InfrastructureFaultCode } from '../contract/fault.ts';
import { type Conflict, conflictText } from '../graph/conflict.ts';
import type { DeadEvent } from '../outbox/dead-event.ts';
import type { EventOutcome, Settlement, SettlePorts } from './settle-events.ts';

/** The ports of `recordSettlement`. */
export interface RecordPorts extends Pick<SettlePorts, 'findSharers'> {
  readonly acknowledgeEvents: (eventIds: readonly string[]) => Promise<number>;
  readonly markDead: (events: readonly DeadEvent[]) => Promise<number>;
  /** Adds one conflict of an event and returns the new number. */
  readonly countConflict: (eventId: string) => Promise<number>;
  /**
   * Records that an event failed on its own, and returns how often it did while other events were
   * settled. If `counts` is false, it only records that the event must be tried on its own.
   */
  readonly countFailure: (eventId: string, counts: boolean) => Promise<number>;
  /** Called once per event, as soon as its outcome is recorded. */
  readonly reportOutcome: (eventId: string, outcome: RecordedOutcome) => void;
}

/** The outcome of one event, as recorded in MongoDB. */
export type RecordedOutcome =
  | { readonly outcome: 'applied' | 'superseded' }
  | { readonly outcome: 'dead'; readonly code: DataFaultCode; readonly stack?: string }
  /** Still pending, after this number of conflicts. */
  | { readonly outcome: 'conflict'; readonly code: Conflict['code']; readonly conflicts: number }
  /** Still pending until a process that knows its type consumes it. */
  | { readonly outcome: 'retried'; readonly code: Fault['code'] }
  /** Still pending, after this number of failures on its own while other events were settled. */
  | { readonly outcome: 'failed'; readonly code: Fault['code']; readonly reason: string; readonly failures: number };

/** Limits after which an event is marked dead. */
export interface RecordLimits {
  /** Number of conflicts. */
  readonly conflictMaxReceives: number;
  /** Number of failures on its own while other events were settled. */
  readonly aloneMaxFailures: number;
}

/** The recorded outcomes, by event id. */
export interface Recorded {
  readonly applied: readonly string[];
  readonly superseded: readonly string[];
  readonly dead: readonly string[];
  /** Still pending, with their numbers of conflicts. */
  readonly inConflict: ReadonlyMap<string, number>;
  /** Still pending, with their numbers of failures. */
  readonly failed: ReadonlyMap<string, number>;
  readonly lastFailure: Fault | null;
}

/**
 * Faults that pass without a change to the event. However often they occur, they never make the
 * event dead.
 */
const neverFatal: ReadonlySet<string> = new Set<InfrastructureFaultCode>([
  'graph-locked',
  'constraint-building',
  'manifest-unknown',
  'permission-denied',
]);

/**
 * Records the outcomes.
 *
 * @param requested the events of the batch. Any others are events of node holders that were applied
 * with them; their own messages are still to come.
 */
export async function recordSettlement(
  { outcomes }: Settlement,
  requested: ReadonlySet<string>,
  ports: RecordPorts,
  limits: RecordLimits,
): Promise<Recorded> {
  const record = new Recording(ports, limits);
  for (const [eventId, result] of outcomes) {
    const isRequested = requested.has(eventId);
    if (result.outcome === 'dead') record.addDead(eventId, result);
    else if (result.outcome === 'conflict' && isRequested) await record.countConflict(eventId, result.conflict);
    else if (result.outcome === 'failed' && isRequested) await record.countFailure(eventId, result.fault);
    else if (result.outcome === 'applied') record.applied.push(eventId);
    else if (result.outcome === 'superseded') record.superseded.push(eventId);
  }
  return record.write();
}

/** The first lines of a stack show where the error was thrown. */
const maxStackCharacters = 2_000;

/** The state of one call. */
class Recording {
  readonly applied: string[] = [];
  readonly superseded: string[] = [];
  readonly dead: DeadEvent[] = [];
  readonly #stacks = new Map<string, string>();
  readonly #ports: RecordPorts;
  readonly #limits: RecordLimits;
  readonly #inConflict = new Map<string, number>();
  readonly #failed = new Map<string, number>();
  readonly #pending = new Map<string, RecordedOutcome>();
  #lastFailure: Fault | null = null;

  constructor(ports: RecordPorts, limits: RecordLimits) {
    this.#ports = ports;
    this.#limits = limits;
  }

  addDead(eventId: string, { code, message, thrown }: Extract<EventOutcome, { readonly outcome: 'dead' }>): void {
    this.dead.push({ eventId, code, message });
    if (thrown instanceof Error && thrown.stack !== undefined)
      this.#stacks.set(eventId, thrown.stack.slice(0, maxStackCharacters));
  }

  async countConflict(eventId: string, conflict: Conflict): Promise<void> {
    const conflicts = await this.#ports.countConflict(eventId);
    if (conflicts >= this.#limits.conflictMaxReceives) {
      const [sharer] = conflict.sharedNode === null ? [] : await this.#ports.findSharers([conflict.sharedNode]);
      this.dead.push({ eventId, code: conflict.code, message: conflictText(conflict, sharer) });
      return;
    }
    this.#inConflict.set(eventId, conflicts);
    this.#pending.set(eventId, { outcome: 'conflict', code: conflict.code, conflicts });
  }

  async countFailure(eventId: string, fault: Fault): Promise<void> {
    if (fault.code === 'catalog-outdated') {
      // The event is not at fault: it is not tried on its own, and waits for the longest back-off.
      this.#failed.set(eventId, Number.POSITIVE_INFINITY);
      this.#pending.set(eventId, { outcome: 'retried', code: fault.code });
      return;
    }
    const counts = !neverFatal.has(fault.code);
    const failures = await this.#ports.countFailure(eventId, counts);
    if (counts && failures >= this.#limits.aloneMaxFailures) {
      this.dead.push({ eventId, ...failureText(fault, failures) });
      return;
    }
    this.#lastFailure = fault;
    this.#failed.set(eventId, failures);
    this.#pending.set(eventId, { outcome: 'failed', code: fault.code, reason: fault.message, failures });
  }

  async write(): Promise<Recorded> {
    const { applied, superseded, dead } = this;
    const { reportOutcome, markDead, acknowledgeEvents } = this.#ports;
    if (dead.length > 0) await markDead(dead);
    for (const { eventId, code } of dead) {
      const stack = this.#stacks.get(eventId);
      reportOutcome(eventId, { outcome: 'dead', code, ...(stack === undefined ? {} : { stack }) });
    }
    for (const [eventId, outcome] of this.#pending) reportOutcome(eventId, outcome);
    const settled = [...applied, ...superseded];
    if (settled.length > 0) await acknowledgeEvents(settled);
    for (const eventId of applied) reportOutcome(eventId, { outcome: 'applied' });
    for (const eventId of superseded) reportOutcome(eventId, { outcome: 'superseded' });
    return {
      applied,
      superseded,
      dead: dead.map(({ eventId }) => eventId),
      inConflict: this.#inConflict,
      failed: this.#failed,
      lastFailure: this.#lastFailure,
    };
  }
}

function failureText(fault: Fault, failures: number): Pick<DeadEvent, 'code' | 'message'> {
  return {
    code: fault.code === 'graph-overloaded' ? 'transaction-too-large' : 'apply-failed',
    message: `Failed ${failures} times on its own while other events were applied. Last error: ${fault.message}`,
  };
}
