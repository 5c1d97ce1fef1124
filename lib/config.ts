/**
 * The configuration of the functions: the one list of settings, read from the environment once, at cold start. Everything that is wrong
 * with it is named in one error.
 */
import { z } from 'zod';

const required = z.string({ error: 'is required' }).min(1, 'is required');
const seconds = z.coerce.number().int().positive();

const mongodbFields = {
  /** Where the documents and the outbox are; the user needs to read and write the outbox only. */
  MONGODB_URI: required,
  /** The database of the documents and their outbox. */
  MONGODB_DATABASE: z.string().min(1).default('outgraph'),
};

const neo4jFields = {
  NEO4J_URI: required,
  /** Left empty, outgraph connects without authentication. */
  NEO4J_USERNAME: z.string().default(''),
  NEO4J_PASSWORD: z.string().default(''),
  NEO4J_DATABASE: z.string().min(1).default('neo4j'),
};

/** What every function that reaches both databases needs; the set-up needs no more. */
export const databaseSettings = z.object({ ...mongodbFields, ...neo4jFields });

export const publisherSettings = z.object({
  ...mongodbFields,
  /** The bus that pointers are put on. */
  EVENT_BUS_NAME: required,
  /** How long a publisher that stopped without a word keeps the others out. */
  PUBLISHER_LEASE_SECONDS: seconds.default(15),
});

/** An address for spans, or empty. */
const endpoint = z.union([z.literal(''), z.url({ protocol: /^https?$/, error: 'must be an http or https URL' })]);

const traceFields = {
  /** Where spans go, as OTLP over HTTP, below the path `/v1/traces`; left empty, none are made. */
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.default(''),
  /** The same for spans alone, with its whole path. */
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint.default(''),
  /** Switches the spans off, whatever the endpoint. */
  OTEL_SDK_DISABLED: z
    .string()
    .default('')
    .transform((text) => text.toLowerCase() === 'true'),
};

const traceSettings = z.object(traceFields);

export const consumerSettings = databaseSettings.extend({
  ...traceFields,
  /** An event that was received this often and met in conflict each time is dead. */
  CONFLICT_MAX_RECEIVES: z.coerce.number().int().positive().default(5),
  /** An event with which the consumer's process ended this often, tried alone, is dead. */
  CRASH_MAX_TRIALS: z.coerce.number().int().positive().default(4),
});

/** The consumer on the queue: it says when messages come again, and moves what nobody can read. */
export const queueConsumerSettings = consumerSettings.extend({
  /** The queue that the batches come from. */
  QUEUE_URL: required,
  /** The queue for what nobody can read. */
  DEAD_LETTER_QUEUE_URL: required,
});

export const sweepSettings = databaseSettings.extend({
  /** The queue that stale pending events are sent to again. */
  QUEUE_URL: required,
  /** Pending for longer than this is stale. */
  SWEEP_STALE_SECONDS: seconds.default(120),
  /** Published again this often without being settled, an event is dead. */
  SWEEP_MAX_ATTEMPTS: z.coerce.number().int().positive().default(12),
  /** A delete is remembered for this long; longer than any message can live (SQS keeps one for 14 days at most). */
  TOMBSTONE_RETENTION_DAYS: z.coerce.number().min(15).default(30),
});

/** The resident process: publisher, consumer and sweep without bus and queue. */
export const workerSettings = publisherSettings
  .omit({ EVENT_BUS_NAME: true })
  .extend(consumerSettings.shape)
  .extend(sweepSettings.omit({ QUEUE_URL: true }).shape)
  .extend({
    /** Batches that are applied at once. */
    WORKER_CONSUMERS: z.coerce.number().int().positive().default(2),
    /** Events in one batch, at most. */
    WORKER_BATCH_SIZE: z.coerce.number().int().positive().max(10_000).default(1_000),
    /** From one sweep to the next. */
    WORKER_SWEEP_SECONDS: seconds.default(60),
  });

export type WorkerSettings = z.infer<typeof workerSettings>;
export type PublisherSettings = z.infer<typeof publisherSettings>;
export type TraceSettings = z.infer<typeof traceSettings>;
export type ConsumerSettings = z.infer<typeof consumerSettings>;
export type QueueConsumerSettings = z.infer<typeof queueConsumerSettings>;
export type SweepSettings = z.infer<typeof sweepSettings>;

/**
 * Reads the settings of one function.
 *
 * @throws Error that names every missing or wrong setting at once (never its value: it may be a secret).
 * @example
 * const settings = readSettings(consumerSettings, process.env);
 */
export function readSettings<Settings>(
  schema: z.ZodType<Settings>,
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const parsed = schema.safeParse(environment);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`The configuration is wrong; set these environment variables:\n${problems.join('\n')}`);
}
