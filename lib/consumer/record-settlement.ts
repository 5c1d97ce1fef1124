/** Writes what is settled to the outbox: the dead with their reasons, then the acknowledgement of the rest. */

import type { DataFaultCode, Fault, InfrastructureFaultCode } from '../contract/fault.ts';
import { type Conflict, conflictText } from '../graph/conflict.ts';
import type { DeadEvent } from '../outbox/dead-event.ts';
import type { EventOutcome, Settlement, SettlePorts } from './settle-events.ts';

/** What recording needs. */
export interface RecordPorts extends Pick<SettlePorts, 'findSharers'> {
  readonly acknowledgeEvents: (eventIds: readonly string[]) => Promise<number>;
  readonly markDead: (events: readonly DeadEvent[]) => Promise<number>;
  /** Counts one more conflict of an event, and returns how many that makes. */
  readonly countConflict: (eventId: string) => Promise<number>;
  /**
   * Notes that an event failed on its own, and returns how often it did while other events were settled. Without
   * `counts`, the note says only that it is to be tried on its own.
   */
  readonly countFailure: (eventId: string, counts: boolean) => Promise<number>;
  /** Told of each event once, as soon as its outcome is written down. */
  readonly told: (eventId: string, outcome: RecordedOutcome) => void;
}

/** What a batch came to for one event, as MongoDB knows it. */
export type RecordedOutcome =
  | { readonly outcome: 'applied' | 'superseded' }
  | { readonly outcome: 'dead'; readonly code: DataFaultCode; readonly stack?: string }
  /** Still pending; met in conflict so often. */
  | { readonly outcome: 'conflict'; readonly code: Conflict['code']; readonly conflicts: number }
  /** Still pending, for a process that knows its type. */
  | { readonly outcome: 'retried'; readonly code: Fault['code'] }
  /** Still pending; failed on its own, so often while others were settled. */
  | { readonly outcome: 'failed'; readonly code: Fault['code']; readonly reason: string; readonly failures: number };

/** How often an event may meet trouble before it is dead. */
export interface RecordLimits {
  /** In conflict. */
  readonly conflictMaxReceives: number;
  /** Failed on its own while other events were settled. */
  readonly aloneMaxFailures: number;
}

/** What was recorded, by event id. */
export interface Recorded {
  readonly applied: readonly string[];
  readonly superseded: readonly string[];
  readonly dead: readonly string[];
  /** Still pending, with how often they were met in conflict. */
  readonly inConflict: ReadonlyMap<string, number>;
  /** Still pending, with how often they failed. */
  readonly failed: ReadonlyMap<string, number>;
  readonly lastFailure: Fault | null;
}

/** These end without anything that is done about the event: it may fail by them for ever, and is not dead. */
const passing: ReadonlySet<string> = new Set<InfrastructureFaultCode>([
  'graph-locked',
  'constraint-building',
  'manifest-unknown',
  'permission-denied',
]);

/**
 * Records the outcomes.
 *
 * @param asked the events that the batch was about; the others are holders that were tried with them, whose own
 * messages are still to come.
 */
export async function recordSettlement(
  { outcomes }: Settlement,
  asked: ReadonlySet<string>,
  ports: RecordPorts,
  limits: RecordLimits,
): Promise<Recorded> {
  const record = new Recording(ports, limits);
  for (const [eventId, result] of outcomes) {
    const isAsked = asked.has(eventId);
    if (result.outcome === 'dead') record.addDead(eventId, result);
    else if (result.outcome === 'conflict' && isAsked) await record.countConflict(eventId, result.conflict);
    else if (result.outcome === 'failed' && isAsked) await record.countFailure(eventId, result.fault);
    else if (result.outcome === 'applied') record.applied.push(eventId);
    else if (result.outcome === 'superseded') record.superseded.push(eventId);
  }
  return record.write();
}

/** The first lines say where. */
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
      // Says nothing of the event: it is not to be tried on its own, and waits as long as any.
      this.#failed.set(eventId, Number.POSITIVE_INFINITY);
      this.#pending.set(eventId, { outcome: 'retried', code: fault.code });
      return;
    }
    const counts = !passing.has(fault.code);
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
    const { told, markDead, acknowledgeEvents } = this.#ports;
    if (dead.length > 0) await markDead(dead);
    for (const { eventId, code } of dead) {
      const stack = this.#stacks.get(eventId);
      told(eventId, { outcome: 'dead', code, ...(stack === undefined ? {} : { stack }) });
    }
    for (const [eventId, outcome] of this.#pending) told(eventId, outcome);
    const settled = [...applied, ...superseded];
    if (settled.length > 0) await acknowledgeEvents(settled);
    for (const eventId of applied) told(eventId, { outcome: 'applied' });
    for (const eventId of superseded) told(eventId, { outcome: 'superseded' });
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
    message: `Failed ${failures} times when it was applied on its own, while other events were applied. The last error: ${fault.message}`,
  };
}
