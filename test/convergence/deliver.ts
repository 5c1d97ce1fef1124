/** Delivers a history through the consumer's own flow: an outbox in memory, a queue that delivers again what stays unsettled, real Neo4j. */
import { setTimeout as sleep } from 'node:timers/promises';
import pMap from 'p-map';
import { consume } from '../../lib/consume/consume.ts';
import type { QueueMessage } from '../../lib/consume/queue-message.ts';
import { Fault } from '../../lib/contract/fault.ts';
import type { FetchedEvent } from '../../lib/contract/fetched-event.ts';
import { aggregateKey, type OutboxEvent, splitAggregateKey } from '../../lib/contract/outbox-event.ts';
import type { Subgraph } from '../../lib/contract/subgraph.ts';
import { inChunks } from '../../lib/in-chunks.ts';
import type { GraphPorts } from '../../lib/wiring/graph.ts';
import { calmPorts } from '../support/calm-ports.ts';
import type { ModelEvent } from '../support/model/expected-graph.ts';
import { onePortion } from '../support/portions.ts';
import { silentLog } from '../support/silent-log.ts';

/** How a history is delivered. */
export interface DeliveryPlan {
  /** Indexes of events in the order of their first delivery, with duplicates. */
  readonly order: readonly number[];
  readonly batchSize: number;
  readonly consumers: number;
}

/** The deliveries of one message that may fail before it counts as never settled. */
const maxReceives = 60;

const backOffMillis = 50;

/**
 * Delivers until every event is settled.
 *
 * @throws Error if an event is dead, or is never settled.
 */
export async function deliver(history: readonly ModelEvent[], plan: DeliveryPlan, graph: GraphPorts): Promise<void> {
  const outbox = new MemoryOutbox(history);
  let waiting = plan.order.map((index, at) => outbox.message(index, `m${at}`));
  while (waiting.length > 0) {
    const again: QueueMessage[] = [];
    const consumeOne = async (batch: readonly QueueMessage[]) => {
      again.push(...(await consumeBatch(batch, outbox, graph)));
    };
    await pMap(inChunks(waiting, plan.batchSize), consumeOne, { concurrency: plan.consumers });
    waiting = again.map((message) => ({ ...message, receiveCount: message.receiveCount + 1 }));
    const endless = waiting.find((message) => message.receiveCount > maxReceives);
    if (endless !== undefined) throw new Error(`Never settled: ${endless.body}`, { cause: outbox.lastFault });
  }
  if (outbox.pending.size > 0) throw new Error(`Left pending: ${[...outbox.pending.keys()].join(', ')}`);
}

/** Returns the messages that stay in the queue. */
async function consumeBatch(
  batch: readonly QueueMessage[],
  outbox: MemoryOutbox,
  graph: GraphPorts,
): Promise<readonly QueueMessage[]> {
  try {
    const report = await consume(
      batch,
      {
        ...graph,
        project: outbox.project,
        fetchEvents: (ids) => onePortion(outbox.fetchEvents(ids)),
        fetchPending: outbox.fetchPending,
        acknowledgeEvents: outbox.acknowledgeEvents,
        markDead: (events) => Promise.reject(new Error(`Dead: ${JSON.stringify(events)}`)),
        ...calmPorts,
        log: silentLog,
      },
      { conflictMaxReceives: Number.POSITIVE_INFINITY, crashMaxTrials: 1, aloneMaxFailures: Number.POSITIVE_INFINITY },
    );
    return batch.filter((message) => report.failedMessageIds.includes(message.messageId));
  } catch (error) {
    // What Lambda does when the function throws: it backs off, and all messages are delivered again.
    if (!(error instanceof Fault && error.retryable)) throw error;
    outbox.lastFault = error;
    await sleep(backOffMillis);
    return batch;
  }
}

class MemoryOutbox {
  readonly pending = new Map<string, OutboxEvent>();
  lastFault: Fault | undefined;
  readonly #events: readonly OutboxEvent[];
  readonly #subgraphs = new Map<string, Subgraph | null>();

  constructor(history: readonly ModelEvent[]) {
    const createdAt = new Date();
    this.#events = history.map(({ key, position, subgraph }, index) => {
      const eventId = index.toString(16).padStart(24, '0');
      this.#subgraphs.set(eventId, subgraph);
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

  project = (event: OutboxEvent) => this.#subgraphs.get(event.eventId) ?? null;

  fetchEvents = async (eventIds: readonly string[]): Promise<readonly FetchedEvent[]> =>
    eventIds.map((eventId) => {
      const event = this.pending.get(eventId);
      if (event === undefined) return { status: 'processed' as const, event: { eventId } };
      return { status: 'pending' as const, event };
    });

  fetchPending = async (keys: readonly string[]) =>
    keys.flatMap((key) => {
      const events = [...this.pending.values()].filter((event) => aggregateKey(event) === key);
      return events.sort((left, right) => (left.position < right.position ? 1 : -1));
    });

  acknowledgeEvents = async (eventIds: readonly string[]) => {
    for (const eventId of eventIds) this.pending.delete(eventId);
    return eventIds.length;
  };
}
