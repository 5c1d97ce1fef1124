/** Writes what is settled to the outbox: the dead with their reasons, then the acknowledgement of the rest. */
import type { OwnershipConflict } from '../apply/settle-node.ts';
import type { DeadEvent } from '../contract/dead-event.ts';
import type { DataFaultCode } from '../contract/fault.ts';
import type { Settlement, SettlePorts } from './settle-events.ts';

/** What recording needs. */
export interface RecordPorts extends Pick<SettlePorts, 'findSharers'> {
  readonly acknowledgeEvents: (eventIds: readonly string[]) => Promise<number>;
  readonly markDead: (events: readonly DeadEvent[]) => Promise<number>;
  /** Counts one more conflict of an event, and returns how many that makes. */
  readonly countConflict: (eventId: string) => Promise<number>;
  /** Told of each event once, as soon as its outcome is written down. */
  readonly told: (eventId: string, outcome: RecordedOutcome) => void;
}

/** What a batch came to for one event, as MongoDB knows it. */
export type RecordedOutcome =
  | { readonly outcome: 'applied' | 'superseded' }
  | { readonly outcome: 'dead'; readonly code: DataFaultCode }
  /** Still pending; met in conflict so often. */
  | { readonly outcome: 'conflict'; readonly conflicts: number };

/** What was recorded, by event id. */
export interface Recorded {
  readonly applied: readonly string[];
  readonly superseded: readonly string[];
  readonly dead: readonly string[];
  /** Still pending, with how often they were met in conflict. */
  readonly inConflict: ReadonlyMap<string, number>;
}

/**
 * Records the outcomes. An event that was met in conflict so often is dead.
 *
 * @param asked the events that the batch was about; the others are holders that were tried with them, whose own messages are still to come.
 */
export async function recordSettlement(
  { outcomes }: Settlement,
  asked: ReadonlySet<string>,
  ports: RecordPorts,
  conflictMaxReceives: number,
): Promise<Recorded> {
  const applied: string[] = [];
  const superseded: string[] = [];
  const dead: DeadEvent[] = [];
  const inConflict = new Map<string, number>();
  for (const [eventId, result] of outcomes) {
    if (result.outcome === 'applied') applied.push(eventId);
    else if (result.outcome === 'superseded') superseded.push(eventId);
    else if (result.outcome === 'dead') dead.push({ eventId, code: result.code, message: result.message });
    else if (result.outcome === 'conflict' && asked.has(eventId)) {
      const conflicts = await ports.countConflict(eventId);
      if (conflicts < conflictMaxReceives) inConflict.set(eventId, conflicts);
      else dead.push({ eventId, code: 'ownership-conflict', message: await conflictText(result.conflict, ports) });
    }
  }
  if (dead.length > 0) await ports.markDead(dead);
  for (const { eventId, code } of dead) ports.told(eventId, { outcome: 'dead', code });
  for (const [eventId, conflicts] of inConflict) ports.told(eventId, { outcome: 'conflict', conflicts });
  const settled = [...applied, ...superseded];
  if (settled.length > 0) await ports.acknowledgeEvents(settled);
  for (const eventId of applied) ports.told(eventId, { outcome: 'applied' });
  for (const eventId of superseded) ports.told(eventId, { outcome: 'superseded' });
  return { applied, superseded, dead: dead.map(({ eventId }) => eventId), inConflict };
}

async function conflictText(conflict: OwnershipConflict, ports: RecordPorts): Promise<string> {
  const holder = conflict.holder ?? (await ports.findSharers([conflict.identity]))[0];
  const held = conflict.holder === null ? 'is shared by' : 'belongs to';
  return `${conflict.element} is listed by ${conflict.refused}, but ${held} ${holder ?? 'another aggregate'}; a node has one owner, or is shared.`;
}
