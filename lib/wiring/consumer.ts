/** Joins the consumer's flow to MongoDB and Neo4j; done once for a process, kept over warm calls. */
import { aggregates } from '../aggregates/catalog.ts';
import { projectPayload } from '../aggregates/project-event.ts';
import type { ConsumerSettings } from '../config.ts';
import {
  type ConsumeLog,
  type ConsumePorts,
  type ConsumeReport,
  consume,
  type QueueMessage,
} from '../consume/consume.ts';
import { Fault } from '../contract/fault.ts';
import { type OutboxEvent, outboxCollection } from '../contract/outbox-event.ts';
import type { Subgraph } from '../contract/subgraph.ts';
import { acknowledgeEvents } from '../mongodb/acknowledge-events.ts';
import { connectMongodb } from '../mongodb/connect.ts';
import { fetchEvents } from '../mongodb/fetch-events.ts';
import { fetchNewestPending } from '../mongodb/fetch-newest-pending.ts';
import { markDead } from '../mongodb/mark-dead.ts';
import { checkOutbox } from '../mongodb/set-up-outbox.ts';
import { connectNeo4j } from '../neo4j/connect.ts';
import { checkGraph } from '../neo4j/set-up-graph.ts';
import { joinGraph } from './graph.ts';

/** The joined consumer. */
export interface Consumer {
  readonly consume: (
    messages: readonly QueueMessage[],
    remainingMillis: () => number,
    log: ConsumeLog,
  ) => Promise<ConsumeReport>;
  readonly close: () => Promise<void>;
}

/**
 * Joins the parts; connections open with the first batch.
 *
 * @param options how long the driver tries again by itself when Neo4j is away; left out, for as long as suits a function, whose next try is a visibility
 * time-out away.
 */
export function wireConsumer(settings: ConsumerSettings, options: { readonly retrySeconds?: number } = {}): Consumer {
  const mongodb = connectMongodb(settings.MONGODB_URI);
  const db = mongodb.db(settings.MONGODB_DATABASE);
  const outbox = db.collection(outboxCollection);
  const { NEO4J_URI, NEO4J_USERNAME, NEO4J_PASSWORD, NEO4J_DATABASE: database } = settings;
  const driver = connectNeo4j({ uri: NEO4J_URI, username: NEO4J_USERNAME, password: NEO4J_PASSWORD }, options);
  const ports: Omit<ConsumePorts, 'remainingMillis' | 'log'> = {
    project: projectOutboxEvent,
    ...joinGraph(driver, database),
    fetchEvents: (eventIds) => fetchEvents(outbox, eventIds),
    fetchNewestPending: (keys) => fetchNewestPending(outbox, keys),
    acknowledgeEvents: (eventIds) => acknowledgeEvents(outbox, eventIds),
    markDead: (events) => markDead(outbox, events),
  };
  const checkSetUp = once(() => Promise.all([checkOutbox(db), checkGraph(driver, database)]));
  return {
    consume: async (messages, remainingMillis, log) => {
      await checkSetUp();
      return consume(
        messages,
        { ...ports, remainingMillis, log },
        { conflictMaxReceives: settings.CONFLICT_MAX_RECEIVES },
      );
    },
    close: async () => {
      await Promise.all([mongodb.close(), driver.close()]);
    },
  };
}

/**
 * The subgraph of an event, by the aggregate type it names; null for a deletion.
 *
 * @throws a data fault.
 */
export function projectOutboxEvent(event: OutboxEvent): Subgraph | null {
  const definition = aggregates.get(event.aggregateType);
  if (definition === undefined) {
    throw new Fault(
      'aggregate-type-unknown',
      `aggregateType: no aggregate "${event.aggregateType}" is declared; add it to lib/aggregates/catalog.ts.`,
    );
  }
  return event.operation === 'delete' ? null : projectPayload(definition, event.aggregateId, event.payload);
}

/** Runs a check until it has passed once. */
function once(check: () => Promise<unknown>): () => Promise<void> {
  let passed = false;
  return async () => {
    if (!passed) await check();
    passed = true;
  };
}
