/** Joins the consumer's flow to MongoDB, Neo4j and SQS; done once for a process, kept over warm calls. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { aggregates } from '../aggregates/catalog.ts';
import { projectPayload } from '../aggregates/project-event.ts';
import { changeVisibility, moveToDeadLetters } from '../aws/queue.ts';
import type { ConsumerSettings, QueueConsumerSettings } from '../config.ts';
import { consume } from '../consume/consume.ts';
import type { ConsumeLog, ConsumePorts, ConsumeReport } from '../consume/consume-ports.ts';
import type { QueueMessage, UnreadableMessage } from '../consume/queue-message.ts';
import { Fault } from '../contract/fault.ts';
import { type OutboxEvent, outboxCollection } from '../contract/outbox-event.ts';
import type { Subgraph } from '../contract/subgraph.ts';
import { acknowledgeEvents } from '../mongodb/acknowledge-events.ts';
import { connectMongodb, pingMongodb } from '../mongodb/connect.ts';
import {
  type ConflictDocument,
  conflictCollection,
  countConflict,
  forgetConflicts,
} from '../mongodb/count-conflicts.ts';
import { fetchEvents } from '../mongodb/fetch-events.ts';
import { fetchNewestPending } from '../mongodb/fetch-newest-pending.ts';
import { markDead } from '../mongodb/mark-dead.ts';
import { checkOutbox } from '../mongodb/set-up-outbox.ts';
import { type TrialDocument, trialCollection } from '../mongodb/trials.ts';
import { connectNeo4j } from '../neo4j/connect.ts';
import { pingNeo4j } from '../neo4j/ping.ts';
import { checkGraph } from '../neo4j/set-up-graph.ts';
import { GraphConnection } from './graph.ts';
import { TrialRecord } from './trial-record.ts';
import { withinTime } from './within-time.ts';

/** The joined consumer. */
export interface Consumer {
  readonly consume: (
    messages: readonly QueueMessage[],
    remainingMillis: () => number,
    log: ConsumeLog,
  ) => Promise<ConsumeReport>;
  readonly close: () => Promise<void>;
}

/** The queue that the batches come from. */
export interface ConsumerQueue extends Pick<ConsumePorts, 'comeAgain' | 'moveToDeadLetters'> {
  readonly close: () => void;
}

/** Joins the parts to the queue in SQS; connections open with the first batch. */
export function wireConsumer(settings: QueueConsumerSettings): Consumer {
  const queue = new SQSClient({ maxAttempts: 4 });
  const queues = { queueUrl: settings.QUEUE_URL, deadLetterQueueUrl: settings.DEAD_LETTER_QUEUE_URL };
  return joinConsumer(settings, {
    comeAgain: async (messages, seconds) => {
      // They come again all the same, only later.
      await changeVisibility(queue, settings.QUEUE_URL, messages, seconds).catch(() => undefined);
    },
    moveToDeadLetters: async (messages) => {
      const move = async (message: UnreadableMessage) => {
        await moveToDeadLetters(queue, queues, message);
        return message;
      };
      const moved = await Promise.allSettled(messages.map(move));
      return moved.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    },
    close: () => queue.destroy(),
  });
}

/** For batches that come from no queue in SQS: who brings them delivers again by a clock of its own, and brings pointers of our own making. */
export const noQueue: ConsumerQueue = {
  comeAgain: async () => undefined,
  moveToDeadLetters: async (messages) => messages,
  close: () => undefined,
};

/** The last seconds of an invocation: servers are not waited for any more, and what is settled is written down. */
const reserveMillis = 10_000;
const recordMillis = 3_000;

/** A server that failed the last batch is asked again before the next one is begun, and given this long. */
const pingMillis = 3_000;

/**
 * Joins the parts to any queue.
 *
 * @param options how long the driver tries again by itself when Neo4j is away; left out, for as long as suits a function, whose next try is a while away.
 */
export function joinConsumer(
  settings: ConsumerSettings,
  queue: ConsumerQueue,
  options: { readonly retrySeconds?: number } = {},
): Consumer {
  const mongodb = connectMongodb(settings.MONGODB_URI);
  const db = mongodb.db(settings.MONGODB_DATABASE);
  const outbox = db.collection(outboxCollection);
  const conflicts = db.collection<ConflictDocument>(conflictCollection);
  const trials = new TrialRecord(db.collection<TrialDocument>(trialCollection));
  const { NEO4J_URI, NEO4J_USERNAME, NEO4J_PASSWORD, NEO4J_DATABASE: database } = settings;
  const address = { uri: NEO4J_URI, username: NEO4J_USERNAME, password: NEO4J_PASSWORD };
  const graph = new GraphConnection(() => connectNeo4j(address, options), database);
  const checkSetUp = once(() => Promise.all([checkOutbox(db), checkGraph(graph.driver, database)]));
  let failedBefore = true;

  const boundedPorts = (remainingMillis: () => number): Omit<ConsumePorts, 'log'> => {
    const askMongodb = <Answer>(call: () => Promise<Answer>, millis = remainingMillis() - reserveMillis) =>
      withinTime('MongoDB', millis, call);
    const tellMongodb = <Answer>(call: () => Promise<Answer>) => askMongodb(call, remainingMillis() - recordMillis);
    const askNeo4j = async <Answer>(call: () => Promise<Answer>, millis = remainingMillis() - reserveMillis) => {
      try {
        return await withinTime('Neo4j', millis, call);
      } catch (error) {
        if (error instanceof Fault && error.code === 'time-up') graph.renew();
        throw error;
      }
    };
    return {
      ...queue,
      checkServers: async () => {
        if (!failedBefore) return;
        await askNeo4j(() => pingNeo4j(graph.driver, database), pingMillis);
        await askMongodb(() => pingMongodb(db), pingMillis);
        await askMongodb(checkSetUp);
      },
      project: projectOutboxEvent,
      applyBatch: (states, results) => askNeo4j(() => graph.ports.applyBatch(states, results)),
      findSharers: (identities) => askNeo4j(() => graph.ports.findSharers(identities)),
      fetchEvents: (eventIds) => askMongodb(() => fetchEvents(outbox, eventIds)),
      fetchNewestPending: (keys) => askMongodb(() => fetchNewestPending(outbox, keys)),
      readBrokenTrials: (eventIds) => askMongodb(() => trials.readBroken(eventIds)),
      beginTrial: (trial) => askMongodb(() => trials.begin(trial)),
      endTrial: (id) => tellMongodb(() => trials.end(id)).catch(() => undefined),
      forgetTrials: (eventIds) => tellMongodb(() => trials.forget(eventIds)),
      countConflict: (eventId) => tellMongodb(() => countConflict(conflicts, eventId)),
      acknowledgeEvents: (eventIds) => tellMongodb(() => acknowledgeEvents(outbox, eventIds)),
      markDead: (events) =>
        tellMongodb(async () => {
          const marked = await markDead(outbox, events);
          await forgetConflicts(
            conflicts,
            events.map(({ eventId }) => eventId),
          );
          return marked;
        }),
      remainingMillis,
      random: Math.random,
    };
  };
  return {
    consume: async (messages, remainingMillis, log) => {
      try {
        const report = await consume(
          messages,
          { ...boundedPorts(remainingMillis), log },
          { conflictMaxReceives: settings.CONFLICT_MAX_RECEIVES, crashMaxTrials: settings.CRASH_MAX_TRIALS },
        );
        failedBefore = false;
        return report;
      } catch (error) {
        failedBefore = true;
        throw error;
      }
    },
    close: async () => {
      queue.close();
      await Promise.all([mongodb.close(), graph.close()]);
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
