/**
 * Delivers a history through the consumer's own flow, with an outbox in memory, a queue that
 * redelivers unsettled messages, and a real Neo4j.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pMap from 'p-map';
import { consume } from '../../lib/consumer/consume.ts';
import type { QueueMessage } from '../../lib/consumer/queue-message.ts';
import { Fault } from '../../lib/contract/fault.ts';
import { aggregateKey, type OutboxEvent, splitAggregateKey } from '../../lib/contract/outbox-event.ts';
import type { Subgraph } from '../../lib/contract/subgraph.ts';
import type { GraphPorts } from '../../lib/graph/ports.ts';
import type { DeadEvent } from '../../lib/outbox/dead-event.ts';
import type { EventChunk, FetchedEvent } from '../../lib/outbox/fetched-event.ts';
import { inChunks } from '../../lib/runtime/in-chunks.ts';
import type { ModelEvent } from '../../lib/testing/expected-graph.ts';
import { calmPorts } from '../support/calm-ports.ts';

import { silentLog } from '../support/silent-log.ts';

/** How a history is delivered. */
export interface DeliveryPlan {
  /** Indexes of events in the order of their first delivery, including duplicates. */
  readonly order: readonly number[];
  readonly batchSize: number;
  readonly consumers: number;
  /**
   * Approximate number of events per fetch and of elements per transaction. Small values split what
   * belongs together.
   */
  readonly chunkEvents: number;
  readonly transactionElements: number;
  /**
   * Indexes of events that become pending again once all events are settled, as in a redrive or a
   * replay, and are then delivered once more.
   */
  readonly again: readonly number[];
}

/** Number of failed deliveries after which a message counts as never settled. */
const maxReceives = 60;

const backOffMillis = 50;

/**
 * Delivers events until all of them are settled.
 *
 * @param settled called between the first deliveries and the repeated ones.
 * @throws Error if an event that could be applied is dead, or is never settled.
 */
export async function deliver(
  history: readonly ModelEvent[],
  plan: DeliveryPlan,
  graph: GraphPorts,
  settled: () => Promise<void> = async () => undefined,
): Promise<void> {
  const outbox = new MemoryOutbox(history);
  await deliverAll(plan.order, plan, outbox, graph);
  await settled();
  outbox.makePending(plan.again);
  await deliverAll(plan.again, plan, outbox, graph);
}

async function deliverAll(
  order: readonly number[],
  plan: DeliveryPlan,
  outbox: MemoryOutbox,
  graph: GraphPorts,
): Promise<void> {
  let waiting = order.map((index, at) => outbox.message(index, `m${at}`));
  while (waiting.length > 0) {
    const again: QueueMessage[] = [];
    const consumeOne = async (batch: readonly QueueMessage[]) => {
      again.push(...(await consumeBatch(batch, outbox, graph, plan)));
    };
    await pMap(inChunks(waiting, plan.batchSize), consumeOne, { concurrency: plan.consumers });
    waiting = again.map((message) => ({ ...message, receiveCount: message.receiveCount + 1 }));
    const endless = waiting.find((message) => message.receiveCount > maxReceives);
    if (endless !== undefined) throw new Error(`Never settled: ${endless.body}`, { cause: outbox.lastFault });
  }
  if (outbox.pending.size > 0) throw new Error(`Still pending: ${[...outbox.pending.keys()].join(', ')}`);
}

/** Returns the messages that remain in the queue. */
async function consumeBatch(
  batch: readonly QueueMessage[],
  outbox: MemoryOutbox,
  graph: GraphPorts,
  { chunkEvents }: DeliveryPlan,
): Promise<readonly QueueMessage[]> {
  try {
    const report = await consume(
      batch,
      {
        ...graph,
        project: outbox.project,
        fetchEvents: (ids) => inEventChunks(outbox.fetchEvents(ids), chunkEvents),
        fetchPending: outbox.fetchPending,
        acknowledgeEvents: outbox.acknowledgeEvents,
        ...calmPorts,
        markDead: outbox.markDead,
        log: silentLog,
      },
      { conflictMaxReceives: Number.POSITIVE_INFINITY, crashMaxTrials: 1, aloneMaxFailures: Number.POSITIVE_INFINITY },
    );
    return batch.filter((message) => report.failedMessageIds.includes(message.messageId));
  } catch (error) {
    // As Lambda does when the function throws: back off, then redeliver all messages.
    if (!(error instanceof Fault && error.retryable)) throw error;
    outbox.lastFault = error;
    await sleep(backOffMillis);
    return batch;
  }
}

async function* inEventChunks(
  fetched: Promise<readonly FetchedEvent[]>,
  chunkEvents: number,
): AsyncGenerator<EventChunk> {
  for (const chunk of inChunks(await fetched, chunkEvents)) yield { read: () => chunk };
}

class MemoryOutbox {
  readonly pending = new Map<string, OutboxEvent>();
  lastFault: Fault | undefined;
  readonly #events: readonly OutboxEvent[];
  readonly #subgraphs = new Map<string, Subgraph | null>();
  readonly #faults = new Map<string, ModelEvent['fault']>();

  constructor(history: readonly ModelEvent[]) {
    const createdAt = new Date();
    this.#events = history.map(({ key, position, subgraph, fault }, index) => {
      const eventId = index.toString(16).padStart(24, '0');
      this.#subgraphs.set(eventId, subgraph);
      this.#faults.set(eventId, fault);
      const fields = { eventId, ...splitAggregateKey(key), position, createdAt };
      return subgraph === null
        ? { ...fields, operation: 'delete' as const }
        : { ...fields, operation: 'upsert' as const, payload: {} };
    });
    for (const event of this.#events) this.pending.set(event.eventId, event);
  }

  message(index: number, messageId: string): QueueMessage {
    const { eventId, aggregateType, aggregateId } = this.#events[index] as OutboxEvent;
    return {
      messageId,
      body: JSON.stringify({ eventId, aggregateType, aggregateId }),
      receiveCount: 1,
      receiptHandle: '',
    };
  }

  makePending(indexes: readonly number[]): void {
    for (const event of indexes.map((index) => this.#events[index] as OutboxEvent))
      this.pending.set(event.eventId, event);
  }

  project = ({ eventId }: OutboxEvent) => {
    if (this.#faults.get(eventId) === 'refused') throw new Fault('payload-invalid', 'refused');
    return this.#subgraphs.get(eventId) ?? null;
  };

  markDead = async (events: readonly DeadEvent[]) => {
    for (const event of events) {
      if (this.#faults.get(event.eventId) === undefined) throw new Error(`Dead: ${JSON.stringify(event)}`);
      this.pending.delete(event.eventId);
    }
    return events.length;
  };

  fetchEvents = async (eventIds: readonly string[]): Promise<readonly FetchedEvent[]> =>
    eventIds.map((eventId) => {
      const event = this.pending.get(eventId);
      if (event === undefined) return { status: 'processed' as const, event: { eventId } };
      if (this.#faults.get(eventId) === 'invalid')
        return { status: 'invalid' as const, code: 'event-invalid' as const, event: { eventId }, reason: 'invalid' };
      return { status: 'pending' as const, event };
    });

  fetchPending = async (keys: readonly string[]) =>
    keys.flatMap((key) => {
      const events = [...this.pending.values()].filter(
        (event) => aggregateKey(event) === key && this.#faults.get(event.eventId) !== 'invalid',
      );
      return events.sort((left, right) => (left.position < right.position ? 1 : -1));
    });

  acknowledgeEvents = async (eventIds: readonly string[]) => {
    for (const eventId of eventIds) this.pending.delete(eventId);
    return eventIds.length;
  };
}
