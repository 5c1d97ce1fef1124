/**
 * The one list of settings. Each part reads its own once, from environment variables; everything that is wrong is named
 * in one error. The README's table and `.env.example` are made from this list (`npm run settings`).
 */
import { z } from 'zod';
import { Fault } from '../contract/fault.ts';
import { mongodbUriProblem, neo4jUriProblem } from './address.ts';
import { isReference, parseReference } from './reference.ts';

/** What the README's table says of a setting, beside its name and default. */
export interface SettingMeta {
  readonly description: string;
  /** Where it deserves no place in an environment value on AWS, nor in a log anywhere. */
  readonly secret?: boolean;
  /** Whether a reference to SSM or Secrets Manager may stand in its place. */
  readonly referable?: boolean;
}

const count = z.coerce.number().int().positive();
const seconds = count;
const text = z.string({ error: 'is required' }).min(1, 'is required');

/** An address for spans, or empty. */
const endpoint = z.union([z.literal(''), z.url({ protocol: /^https?$/, error: 'must be an http or https URL' })]);

const badReference = 'must be ssm:<name> or secretsmanager:<name>#<field>';

/** The value itself, or a reference to it. @param problemOf what is wrong with the value itself. */
function referable(base: z.ZodString, problemOf: (value: string) => string | undefined = () => undefined) {
  return base.superRefine((value, context) => {
    const badForm = () => (parseReference(value) === null ? badReference : undefined);
    const problem = isReference(value) ? badForm() : problemOf(value);
    if (problem !== undefined && value !== '') context.addIssue({ code: 'custom', message: problem });
  });
}

/** Every setting of every part. */
export const settings = z.object({
  MONGODB_URI: referable(text, mongodbUriProblem).meta({
    description: 'the replica set or sharded cluster of the documents; over TLS outside this machine',
    secret: true,
    referable: true,
  }),
  MONGODB_DATABASE: z
    .string()
    .min(1)
    .default('outgraph')
    .meta({ description: 'the database of the documents and their outbox' }),
  NEO4J_URI: referable(text, neo4jUriProblem).meta({
    description: 'the graph: `neo4j+s://…` or `bolt+s://…`; without TLS on this machine only',
    referable: true,
  }),
  NEO4J_USERNAME: referable(z.string())
    .default('')
    .meta({ description: 'left empty: without authentication', referable: true }),
  NEO4J_PASSWORD: referable(z.string())
    .default('')
    .meta({ description: "the user's password", secret: true, referable: true }),
  NEO4J_DATABASE: z.string().min(1).default('neo4j').meta({ description: 'the database in Neo4j' }),
  SECRETS_MAX_AGE_SECONDS: seconds
    .default(300)
    .meta({ description: 'how long a function uses a value that it read by reference before it reads it again' }),
  EVENT_BUS_NAME: text.meta({ description: 'the bus that pointers are put on' }),
  PUBLISHER_LEASE_SECONDS: seconds
    .default(15)
    .meta({ description: 'how long a publisher that stopped without a word keeps the others out' }),
  QUEUE_URL: text.meta({ description: 'the queue of the pointers' }),
  DEAD_LETTER_QUEUE_URL: text.meta({ description: 'the queue for what nobody can read' }),
  CONFLICT_MAX_RECEIVES: count
    .default(5)
    .meta({ description: 'an event that was received this often and met in conflict each time is dead' }),
  CRASH_MAX_TRIALS: count.default(4).meta({
    description: "an event with which the consumer's process ended this often, tried alone, is dead",
  }),
  ALONE_MAX_FAILURES: count.default(5).meta({
    description: 'how often an event may fail on its own, while other events are applied, before it is dead',
  }),
  SWEEP_STALE_SECONDS: seconds
    .default(120)
    .meta({ description: 'an event that is pending for longer is published again' }),
  SWEEP_MAX_ATTEMPTS: count
    .default(12)
    .meta({ description: 'published again this often without being settled, an event is dead' }),
  TOMBSTONE_RETENTION_DAYS: z.coerce
    .number()
    // Longer than any message can live.
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
    .min(15, 'must be at least 15: SQS keeps a message for 14 days')
    .default(30)
    .meta({ description: 'how long a deletion is remembered; at least 15' }),
  PROCESSED_RETENTION_DAYS: z.coerce
    .number()
    .positive()
    .default(7)
    .meta({ description: 'how long processed events are kept' }),
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.default('').meta({
    description: 'where spans go, as OTLP over HTTP, below the path `/v1/traces`; left empty, none are made',
  }),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint
    .default('')
    .meta({ description: 'the same for spans alone, with its whole path' }),
  OTEL_SDK_DISABLED: z
    .string()
    .default('')
    .transform((value) => value.toLowerCase() === 'true')
    .meta({ description: '`true` switches the spans off, whatever the endpoint' }),
  OUTGRAPH_CATALOG: z.string().default('').meta({
    description:
      'the module with the aggregate types of your own service, for the worker and the commands that take `--catalog`; left empty, the built-in types',
  }),
  WORKER_CONSUMERS: count.default(2).meta({ description: 'batches that are applied at once' }),
  WORKER_BATCH_SIZE: count.max(10_000).default(1_000).meta({ description: 'events in one batch, at most' }),
  WORKER_SWEEP_SECONDS: seconds.default(60).meta({ description: 'from one sweep to the next' }),
});

const mongodb = { MONGODB_URI: true, MONGODB_DATABASE: true } as const;
const neo4j = { NEO4J_URI: true, NEO4J_USERNAME: true, NEO4J_PASSWORD: true, NEO4J_DATABASE: true } as const;
const secrets = { SECRETS_MAX_AGE_SECONDS: true } as const;
const databases = { ...mongodb, ...neo4j, ...secrets } as const;
const tracing = {
  OTEL_EXPORTER_OTLP_ENDPOINT: true,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: true,
  OTEL_SDK_DISABLED: true,
} as const;
const traceSettings = settings.pick(tracing);
const trials = {
  CONFLICT_MAX_RECEIVES: true,
  CRASH_MAX_TRIALS: true,
  ALONE_MAX_FAILURES: true,
  ...tracing,
} as const;
const sweeping = { SWEEP_STALE_SECONDS: true, SWEEP_MAX_ATTEMPTS: true, TOMBSTONE_RETENTION_DAYS: true } as const;

/** Where both databases are. */
export const databaseSettings = settings.pick(databases);

export const publisherSettings = settings.pick({
  ...mongodb,
  ...secrets,
  EVENT_BUS_NAME: true,
  PUBLISHER_LEASE_SECONDS: true,
});

/** A consumer of any kind. */
export const consumerSettings = settings.pick({ ...databases, ...trials });

/** The consumer on the queue: it says when messages come again, and moves what nobody can read. */
export const queueConsumerSettings = settings.pick({
  ...databases,
  ...trials,
  QUEUE_URL: true,
  DEAD_LETTER_QUEUE_URL: true,
});

export const sweepSettings = settings.pick({ ...databases, ...sweeping, QUEUE_URL: true });

export const setUpSettings = settings.pick({ ...databases, PROCESSED_RETENTION_DAYS: true });

/** The resident process: publisher, consumer and sweep without bus and queue. */
export const workerSettings = settings.pick({
  ...databases,
  ...trials,
  ...sweeping,
  PUBLISHER_LEASE_SECONDS: true,
  OUTGRAPH_CATALOG: true,
  WORKER_CONSUMERS: true,
  WORKER_BATCH_SIZE: true,
  WORKER_SWEEP_SECONDS: true,
});

/** A look at a stage. It needs no graph; a stage with a worker has no queue. */
export const statusSettings = settings
  .pick({ ...mongodb, QUEUE_URL: true, DEAD_LETTER_QUEUE_URL: true, SWEEP_STALE_SECONDS: true })
  .partial({ QUEUE_URL: true, DEAD_LETTER_QUEUE_URL: true });

/** The console: a look at a stage, and at one aggregate from its document to the graph. */
export const consoleSettings = settings
  .pick({ ...databases, QUEUE_URL: true, DEAD_LETTER_QUEUE_URL: true, SWEEP_STALE_SECONDS: true })
  .partial({ QUEUE_URL: true, DEAD_LETTER_QUEUE_URL: true });

/** The settings of each part, by its name. */
export const settingsOf = {
  publisher: publisherSettings,
  consumer: queueConsumerSettings,
  sweep: sweepSettings,
  setUp: setUpSettings,
  worker: workerSettings,
} as const;

export type TraceSettings = z.infer<typeof traceSettings>;
export type PublisherSettings = z.infer<typeof publisherSettings>;
export type ConsumerSettings = z.infer<typeof consumerSettings>;
export type QueueConsumerSettings = z.infer<typeof queueConsumerSettings>;
export type SweepSettings = z.infer<typeof sweepSettings>;
export type SetUpSettings = z.infer<typeof setUpSettings>;
export type WorkerSettings = z.infer<typeof workerSettings>;

/** Environment variables, or what stands for them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings of one part. References stay as they are.
 *
 * @throws Fault `configuration-invalid` that names every missing or wrong setting at once (never its value: it may be a
 * secret).
 * @example
 * const settings = readSettings(consumerSettings, process.env);
 */
export function readSettings<Settings>(schema: z.ZodType<Settings>, environment: Environment): Settings {
  const parsed = schema.safeParse(environment);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Fault(
    'configuration-invalid',
    `The configuration is wrong; set these environment variables: ${problems.join('; ')}.`,
  );
}
