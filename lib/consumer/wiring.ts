/**
 * Connects the consumer to MongoDB, Neo4j and SQS, once per process. Warm invocations reuse the
 * connections.
 */
import { SQSClient } from '@aws-sdk/client-sqs';
import { outboxCollection } from '../contract/outbox-event.ts';
import { RegistryKeys } from '../contract/registry-keys.ts';
import { connectNeo4j } from '../graph/neo4j-connect.ts';
import { pingNeo4j } from '../graph/neo4j-ping.ts';
import { joinGraph } from '../graph/wiring.ts';
import { conflictCollection, trialCollection } from '../outbox/collections.ts';
import type { DeadEvent } from '../outbox/dead-event.ts';
import { outboxOf } from '../outbox/mongodb-collection.ts';
import { connectMongodb, pingMongodb } from '../outbox/mongodb-connect.ts';
import { markDead } from '../outbox/mongodb-mark-dead.ts';
import { readLastProcessed } from '../outbox/mongodb-measure.ts';
import type { AggregateCatalog } from '../projection/catalog.ts';
import { projectOutboxEvent } from '../projection/project.ts';
import { awsTimeouts } from '../runtime/aws-client.ts';
import { boundedPorts, boundedSteps } from '../runtime/bounded-ports.ts';
import { Renewable } from '../runtime/renewable.ts';
import type { ConsumerSettings, QueueConsumerSettings } from '../runtime/settings.ts';
import { changeVisibility, moveToDeadLetters } from '../runtime/sqs.ts';
import { withinTime } from '../runtime/within-time.ts';
import { checkBinding } from '../set-up/binding-wiring.ts';
import { checkOutbox } from '../set-up/mongodb-outbox.ts';
import { checkGraph } from '../set-up/neo4j-graph.ts';
import { consume } from './consume.ts';
import { acknowledgeEvents } from './mongodb-acknowledge.ts';
import {
  type ConflictDocument,
  countConflict,
  countFailure,
  countSlow,
  forgetConflicts,
  readFailures,
} from './mongodb-failures.ts';
import { fetchEvents } from './mongodb-fetch-events.ts';
import { fetchPending } from './mongodb-fetch-pending.ts';
import { KnownTypes } from './mongodb-known-types.ts';
import { TrialRecord } from './mongodb-trial-record.ts';
import type { TrialDocument } from './mongodb-trials.ts';
import type { ConsumeLog, ConsumePorts, ConsumeReport } from './ports.ts';
import type { QueueMessage, UnreadableMessage } from './queue-message.ts';
import { joinBatchSpans, type SpanLog, type SpanOptions } from './spans.ts';
import type { Trial } from './trial.ts';

/** A wired consumer. */
export interface Consumer {
  readonly consume: (
    messages: readonly QueueMessage[],
    remainingMillis: () => number,
    log: ConsumeLog & SpanLog,
  ) => Promise<ConsumeReport>;
  /** Asks both servers whether they answer and are set up, and returns the faults. */
  readonly check: () => Promise<readonly unknown[]>;
  readonly close: () => Promise<void>;
}

/** The queue that delivers the batches. */
export interface ConsumerQueue extends Pick<ConsumePorts, 'retryLater' | 'moveToDeadLetters'> {
  readonly spans: SpanOptions;
  readonly close: () => void;
}

/** Creates a consumer of the SQS queue. Connections open with the first batch. */
export function wireConsumer(settings: QueueConsumerSettings, catalog: AggregateCatalog): Consumer {
  const queue = new SQSClient({ maxAttempts: 4, ...awsTimeouts() });
  const queues = { queueUrl: settings.QUEUE_URL, deadLetterQueueUrl: settings.DEAD_LETTER_QUEUE_URL };
  return joinConsumer(settings, catalog, {
    spans: {
      serviceName: process.env.AWS_LAMBDA_FUNCTION_NAME ?? 'outgraph-consumer',
      queue: { system: 'aws_sqs', name: settings.QUEUE_URL.split('/').at(-1) ?? '' },
      flush: true,
    },
    retryLater: async (messages, seconds) => {
      // If it fails, the messages are redelivered after the visibility time-out.
      await changeVisibility(queue, settings.QUEUE_URL, messages, seconds).catch(() => undefined);
    },
    moveToDeadLetters: async (messages) => {
      const move = async (message: UnreadableMessage) => {
        await moveToDeadLetters(queue, queues, message);
        return message;
      };
      const moved = await Promise.allSettled(messages.map(move));
      return moved.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    },
    close: () => queue.destroy(),
  });
}

/**
 * For batches from outside SQS. The caller schedules redeliveries itself and passes only pointers
 * that outgraph wrote.
 */
export const noQueue: ConsumerQueue = {
  spans: { serviceName: 'outgraph-worker', queue: { system: 'outgraph', name: outboxCollection }, flush: false },
  retryLater: async () => undefined,
  moveToDeadLetters: async (messages) => messages,
  close: () => undefined,
};

/** Only the recording of settled events may still wait for a server in the last seconds. */
const reserveMillis = 10_000;
const recordMillis = 3_000;

/** How long a server may take to respond to a ping before the next batch after a failed one. */
const pingMillis = 3_000;

/**
 * Creates a consumer of any queue.
 *
 * @param options `retrySeconds`: how long the driver itself retries while Neo4j is unavailable. The
 * default suits a function, which is invoked again only after a while. `idleMillis`: when to replace
 * unused connections.
 */
export function joinConsumer(
  settings: ConsumerSettings,
  catalog: AggregateCatalog,
  queue: ConsumerQueue,
  options: { readonly retrySeconds?: number; readonly idleMillis?: number } = {},
): Consumer {
  const mongodb = connectMongodb(settings.MONGODB_URI, options);
  const db = mongodb.db(settings.MONGODB_DATABASE);
  const outbox = outboxOf(db);
  const conflicts = db.collection<ConflictDocument>(conflictCollection);
  const trials = new TrialRecord(db.collection<TrialDocument>(trialCollection));
  const { NEO4J_URI, NEO4J_USERNAME, NEO4J_PASSWORD, NEO4J_DATABASE: database } = settings;
  const registry = new RegistryKeys(settings.OUTGRAPH_SOURCE);
  const address = { uri: NEO4J_URI, username: NEO4J_USERNAME, password: NEO4J_PASSWORD };
  const graph = new Renewable(() => {
    const driver = connectNeo4j(address, options);
    return { driver, ports: joinGraph(driver, database, { db }), close: () => driver.close() };
  });
  const checkSetUp = once(async () => {
    await Promise.all([checkOutbox(db), checkGraph(graph.current.driver, database)]);
    await checkBinding(db, graph.current.driver, database, registry);
  });
  const spans = joinBatchSpans(settings, queue.spans);
  let failedBefore = true;

  const types = new KnownTypes(db, catalog);

  const portsFor = (remainingMillis: () => number): Omit<ConsumePorts, 'log'> => {
    const untilReserve = () => remainingMillis() - reserveMillis;
    const untilEnd = () => remainingMillis() - recordMillis;
    const reads = {
      fetchPending: (keys: readonly string[]) => fetchPending(outbox, keys, registry),
      readFailures: (eventIds: readonly string[]) => readFailures(conflicts, eventIds),
      readCrashedTrials: (eventIds: readonly string[]) => trials.readCrashed(eventIds),
      beginTrial: (trial: Trial) => trials.begin(trial),
    };
    const writes = {
      forgetTrials: (eventIds: readonly string[]) => trials.forget(eventIds),
      countConflict: (eventId: string) => countConflict(conflicts, eventId),
      countSlow: (eventIds: readonly string[]) => countSlow(conflicts, eventIds),
      countFailure: async (eventId: string, counts: boolean) =>
        countFailure(conflicts, eventId, counts ? await readLastProcessed(outbox) : null, counts),
      acknowledgeEvents: (eventIds: readonly string[]) => acknowledgeEvents(outbox, eventIds),
      markDead: async (events: readonly DeadEvent[]) => {
        const marked = await markDead(outbox, events);
        const eventIds = events.map(({ eventId }) => eventId);
        await forgetConflicts(conflicts, eventIds);
        return marked;
      },
    };
    const pings = { ping: () => pingNeo4j(graph.current.driver, database) };
    return {
      keys: registry,
      retryLater: queue.retryLater,
      moveToDeadLetters: queue.moveToDeadLetters,
      checkServers: async () => {
        if (!failedBefore) return;
        await boundedPorts('Neo4j', pings, () => pingMillis, graph.renewIfSilent).ping();
        await withinTime('MongoDB', pingMillis, () => pingMongodb(db));
        await withinTime('MongoDB', untilReserve(), checkSetUp);
      },
      fetchEvents: (eventIds) => boundedSteps('MongoDB', fetchEvents(outbox, eventIds), untilReserve),
      prepareTypes: (aggregateTypes) => types.prepare(aggregateTypes, untilReserve()),
      project: (event) => {
        types.requireKnown(event.aggregateType);
        return projectOutboxEvent(catalog, event);
      },
      ...boundedPorts('Neo4j', graph.current.ports, untilReserve, graph.renewIfSilent),
      // It has its own time limit. After a call that timed out, this is already the new connection.
      answers: () => graph.current.ports.answers(),
      ...boundedPorts('MongoDB', reads, untilReserve),
      ...boundedPorts('MongoDB', writes, untilEnd),
      // If it fails, the process's next invocation removes the trial.
      endTrial: (id) => withinTime('MongoDB', untilEnd(), () => trials.end(id)).catch(() => undefined),
      remainingMillis,
      random: Math.random,
    };
  };
  const consumeBatch = async (
    messages: readonly QueueMessage[],
    remainingMillis: () => number,
    log: ConsumeLog,
  ): Promise<ConsumeReport> => {
    try {
      const report = await consume(
        messages,
        { ...portsFor(remainingMillis), log },
        {
          conflictMaxReceives: settings.CONFLICT_MAX_RECEIVES,
          crashMaxTrials: settings.CRASH_MAX_TRIALS,
          aloneMaxFailures: settings.ALONE_MAX_FAILURES,
        },
      );
      failedBefore = false;
      return report;
    } catch (error) {
      failedBefore = true;
      throw error;
    }
  };
  return {
    consume: (messages, remainingMillis, log) =>
      spans.trace({ messages: messages.length, remainingMillis, log }, (spanned) =>
        consumeBatch(messages, remainingMillis, spanned),
      ),
    check: async () => {
      const asked = await Promise.allSettled([
        // Batches in progress use the connection too, so it is not renewed here.
        withinTime('Neo4j', pingMillis, () => pingNeo4j(graph.current.driver, database)),
        withinTime('MongoDB', pingMillis, () => pingMongodb(db)),
      ]);
      const faults = asked.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
      if (faults.length > 0) return faults;
      return withinTime('MongoDB', pingMillis, checkSetUp).then(
        () => [],
        (error: unknown) => [error],
      );
    },
    close: async () => {
      queue.close();
      await Promise.all([mongodb.close(), graph.close(), spans.close()]);
    },
  };
}

/** Runs a check until it has passed once. */
function once(check: () => Promise<unknown>): () => Promise<void> {
  let passed = false;
  return async () => {
    if (!passed) await check();
    passed = true;
  };
}
