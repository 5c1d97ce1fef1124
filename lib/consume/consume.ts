/**
 * The consumer's flow, from a batch of queue messages to which of them stay in the queue: read the pointers, fetch their events, settle
 * them in the graph, mark the dead, acknowledge the rest. A message leaves the queue only when its event is settled in MongoDB, or was before.
 */

import type { OwnershipConflict } from '../apply/settle-node.ts';
import type { DeadEvent } from '../contract/dead-event.ts';
import type { DataFaultCode } from '../contract/fault.ts';
import type { FetchedEvent } from '../contract/fetched-event.ts';
import { readPointer } from '../contract/pointer.ts';
import { type Settlement, type SettlePorts, settleEvents } from './settle-events.ts';

/** A message of the queue; `receiveCount` is how often it was received, this time included. */
export interface QueueMessage {
  readonly messageId: string;
  readonly body: string;
  readonly receiveCount: number;
}

/** What the consumer needs. */
export interface ConsumePorts extends SettlePorts {
  readonly fetchEvents: (eventIds: readonly string[]) => Promise<readonly FetchedEvent[]>;
  readonly acknowledgeEvents: (eventIds: readonly string[]) => Promise<number>;
  readonly markDead: (events: readonly DeadEvent[]) => Promise<number>;
  readonly remainingMillis: () => number;
  readonly log: ConsumeLog;
}

/** The fixed set of things the consumer says about single messages and events; never a payload, never a key. */
export interface ConsumeLog {
  readonly messageUnreadable: (messageId: string, reason: string) => void;
  readonly eventDead: (eventId: string, code: DataFaultCode) => void;
  readonly eventInConflict: (eventId: string, receiveCount: number) => void;
}

export interface ConsumeOptions {
  /** An ownership conflict received this often is dead. */
  readonly conflictMaxReceives: number;
}

/** What one invocation came to. */
export interface ConsumeReport {
  /** The messages that stay in the queue. */
  readonly failedMessageIds: readonly string[];
  readonly applied: number;
  readonly superseded: number;
  readonly dead: number;
  readonly conflicts: number;
  readonly unreadable: number;
  /** Settled before: processed, dead, or purged. */
  readonly settledBefore: number;
  /** When the events that were applied had been written, by their writers' clocks. */
  readonly appliedCreatedAt: readonly Date[];
}

/** A message received this often may be what ends the process: it is applied alone, after the others. */
const aloneFromReceiveCount = 3;

/** Applying one more event alone is not begun with less time than this: its transaction, with retries, must fit. */
const aloneMinimumMillis = 20_000;

interface ReadMessage {
  readonly messageId: string;
  readonly eventId: string;
  readonly receiveCount: number;
}

/**
 * Consumes a batch of messages.
 *
 * @throws Fault that is no data fault: MongoDB or Neo4j is not available; what was settled by then is acknowledged, and Lambda backs off.
 */
export async function consume(
  messages: readonly QueueMessage[],
  ports: ConsumePorts,
  options: ConsumeOptions,
): Promise<ConsumeReport> {
  const tally = new Tally();
  const together: ReadMessage[] = [];
  const alone: ReadMessage[] = [];
  for (const { messageId, body, receiveCount } of messages) {
    const reading = readPointer(body);
    if (reading.outcome === 'read') {
      (receiveCount < aloneFromReceiveCount ? together : alone).push({
        messageId,
        eventId: reading.eventId,
        receiveCount,
      });
    } else {
      ports.log.messageUnreadable(messageId, reading.reason);
      tally.unreadable += 1;
      tally.failedMessageIds.push(messageId);
    }
  }
  await consumeTogether(together, ports, options, tally);
  // The least suspect first: one that ends the process every time must not keep the others from their turn.
  alone.sort((left, right) => left.receiveCount - right.receiveCount);
  for (const message of alone) {
    if (ports.remainingMillis() < aloneMinimumMillis) tally.failedMessageIds.push(message.messageId);
    else await consumeTogether([message], ports, options, tally);
  }
  return tally;
}

class Tally implements ConsumeReport {
  failedMessageIds: string[] = [];
  applied = 0;
  superseded = 0;
  dead = 0;
  conflicts = 0;
  unreadable = 0;
  settledBefore = 0;
  appliedCreatedAt: Date[] = [];
}

async function consumeTogether(
  messages: readonly ReadMessage[],
  ports: ConsumePorts,
  options: ConsumeOptions,
  tally: Tally,
): Promise<void> {
  if (messages.length === 0) return;
  const eventIds = [...new Set(messages.map((message) => message.eventId))];
  const fetched = await ports.fetchEvents(eventIds);
  const pending = fetched.flatMap((item) => (item.status === 'pending' ? [item.event] : []));
  tally.settledBefore +=
    eventIds.length - fetched.filter((item) => item.status === 'pending' || item.status === 'invalid').length;

  const settlement: Settlement = { outcomes: new Map(), events: new Map() };
  for (const item of fetched) {
    if (item.status !== 'invalid') continue;
    settlement.outcomes.set(item.eventId, { outcome: 'dead', code: 'event-invalid', message: item.reason });
  }
  try {
    await settleEvents(pending, ports, settlement);
  } finally {
    await recordSettlement(messages, settlement, ports, options, tally);
  }
}

/** Writes what is settled to the outbox: also when the rest of the batch failed, so that it is not done again. */
async function recordSettlement(
  messages: readonly ReadMessage[],
  settlement: Settlement,
  ports: ConsumePorts,
  options: ConsumeOptions,
  tally: Tally,
): Promise<void> {
  const byEvent = Map.groupBy(messages, (message) => message.eventId);
  const acknowledged: string[] = [];
  const dead: DeadEvent[] = [];
  for (const [eventId, result] of settlement.outcomes) {
    if (result.outcome === 'dead') {
      dead.push({ eventId, code: result.code, message: result.message });
    } else if (result.outcome === 'conflict') {
      const received = byEvent.get(eventId) ?? [];
      const receiveCount = Math.max(0, ...received.map((message) => message.receiveCount));
      if (receiveCount >= options.conflictMaxReceives) {
        dead.push({ eventId, code: 'ownership-conflict', message: await conflictText(result.conflict, ports) });
      } else {
        tally.conflicts += 1;
        tally.failedMessageIds.push(...received.map((message) => message.messageId));
        ports.log.eventInConflict(eventId, receiveCount);
      }
    } else {
      acknowledged.push(eventId);
      tally[result.outcome] += 1;
      const event = settlement.events.get(eventId);
      if (result.outcome === 'applied' && event !== undefined) tally.appliedCreatedAt.push(event.createdAt);
    }
  }
  if (dead.length > 0) await ports.markDead(dead);
  for (const { eventId, code } of dead) ports.log.eventDead(eventId, code);
  tally.dead += dead.length;
  if (acknowledged.length > 0) await ports.acknowledgeEvents(acknowledged);
}

async function conflictText(conflict: OwnershipConflict, ports: ConsumePorts): Promise<string> {
  const holder = conflict.holder ?? (await ports.findSharers([conflict.identity]))[0];
  const held = conflict.holder === null ? 'is shared by' : 'belongs to';
  return `${conflict.element} is listed by ${conflict.refused}, but ${held} ${holder ?? 'another aggregate'}; a node has one owner, or is shared.`;
}
