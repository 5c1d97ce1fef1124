/**
 * The list of settings. Each part reads its own settings once from environment variables, and
 * reports every problem in one error. The table in `docs/reference/settings.md` and `.env.example`
 * are generated from this list (`npm run settings`).
 */
import { z } from 'zod';
import { Fault } from '../contract/fault.ts';
import { maxPackPointers } from '../contract/pointer.ts';
import { printable } from '../contract/printable.ts';
import { sourcePattern } from '../contract/registry-keys.ts';
import { isPlainAddress, mongodbUriProblem, neo4jUriProblem } from './address.ts';
import { isReference, parseReference } from './reference.ts';

/** A setting's row in the table of `docs/reference/settings.md`, without its name and default. */
export interface SettingMeta {
  readonly description: string;
  /** Whether it must not be in an environment value on AWS, nor in any log. */
  readonly secret?: boolean;
  /** Whether it may be a reference to SSM or Secrets Manager. */
  readonly referable?: boolean;
}

const count = z.coerce.number().int().positive();
const seconds = count;
const text = z.string({ error: 'is required' }).min(1, 'is required');

/** A URL for spans or metrics, or empty. */
const endpoint = z.union([z.literal(''), z.url({ protocol: /^https?$/, error: 'must be an http or https URL' })]);

const badReference = 'must be ssm:<name> or secretsmanager:<name>#<field>';

/**
 * The value itself, or a reference to it. `problemOf` returns the problem of a value that is not a
 * reference.
 */
function referable(base: z.ZodString, problemOf: (value: string) => string | undefined = () => undefined) {
  return base.superRefine((value, context) => {
    const formatProblem = () => (parseReference(value) === null ? badReference : undefined);
    const problem = isReference(value) ? formatProblem() : problemOf(value);
    if (problem !== undefined && value !== '') context.addIssue({ code: 'custom', message: problem });
  });
}

/** A source is no secret, so that the message may name it. */
function sourceProblem(source: string): string {
  return (
    `cannot be ${JSON.stringify(printable(source).slice(0, 80))}: use 1 to 64 letters, digits, "-", "_" and ".", ` +
    'or leave it empty if the graph belongs to this outbox alone'
  );
}

/** On with `1` or `true`. */
const flag = z
  .string()
  .default('')
  .refine((value) => /^(?:|0|1|true|false)$/i.test(value), 'must be 1, or 0')
  .transform((value) => /^(?:1|true)$/i.test(value));

/** Every setting of every part. */
export const settings = z.object({
  MONGODB_URI: referable(text, mongodbUriProblem).meta({
    description: 'Address of the replica set or sharded cluster with the documents; requires TLS outside this machine',
    secret: true,
    referable: true,
  }),
  MONGODB_DATABASE: z
    .string()
    .regex(/^[^/\\. "$\0]{1,63}$/, 'must have 1 to 63 characters, without / \\ . " $ and blanks')
    .default('outgraph')
    .meta({ description: 'Database of the documents and their outbox' }),
  NEO4J_URI: referable(text, neo4jUriProblem).meta({
    description: 'Address of the graph: `neo4j+s://…` or `bolt+s://…`; without TLS only on this machine',
    referable: true,
  }),
  NEO4J_USERNAME: referable(z.string())
    .default('')
    .meta({ description: 'User name; empty: no authentication', referable: true }),
  NEO4J_PASSWORD: referable(z.string())
    .default('')
    .meta({ description: 'Password of the user', secret: true, referable: true }),
  // The driver takes an empty name as the home database. A new Aura instance has no database
  // `neo4j`: its database has the instance's id as its name.
  // https://neo4j.com/docs/operations-manual/current/database-administration/#manage-databases-home
  NEO4J_DATABASE: z
    .string()
    .default('')
    .meta({ description: "Database in Neo4j; empty: the user's home database, as on Aura" }),
  OUTGRAPH_SOURCE: z
    .string()
    .default('')
    .superRefine((source, context) => {
      if (source !== '' && !sourcePattern.test(source))
        context.addIssue({ code: 'custom', message: sourceProblem(source) });
    })
    .meta({
      description:
        'Name of this outbox among several that feed one graph, the same for all of its parts; empty: the graph ' +
        'belongs to this outbox alone',
    }),
  OUTGRAPH_ALLOW_PLAIN_CONNECTIONS: flag.meta({
    description:
      '`1` allows both databases to be on other machines without TLS, inside a private network that you trust; ' +
      'functions ignore it',
  }),
  SECRETS_MAX_AGE_SECONDS: seconds
    .default(300)
    .meta({ description: 'How long a function uses a value read by reference before it reads it again' }),
  EVENT_BUS_NAME: text.meta({ description: 'Event bus that the publisher sends pointers to' }),
  PUBLISHER_LEASE_SECONDS: seconds
    .default(15)
    .meta({ description: 'How long a crashed publisher keeps other publishers waiting' }),
  POINTERS_PER_ENTRY: count
    .max(maxPackPointers)
    .default(maxPackPointers)
    .meta({ description: 'Maximum number of pointers to events in one message; 1 sends each on its own' }),
  PUBLISHER_LINGER_MILLIS: z.coerce.number().int().min(0).max(1_000).default(50).meta({
    description:
      'How long the publisher waits for more events to send together, while they keep coming, in milliseconds',
  }),
  QUEUE_URL: text.meta({ description: 'URL of the SQS queue with the pointers' }),
  DEAD_LETTER_QUEUE_URL: text.meta({ description: 'URL of the queue for unreadable messages' }),
  CONFLICT_MAX_RECEIVES: count
    .default(5)
    .meta({ description: 'Number of conflicts after which an event is marked dead' }),
  CRASH_MAX_TRIALS: count.default(4).meta({
    description: 'Number of times an event may crash the consumer, processed on its own, before it is marked dead',
  }),
  ALONE_MAX_FAILURES: count.default(5).meta({
    description:
      'Number of times an event may fail on its own, while other events are applied, before it is marked dead',
  }),
  SWEEP_STALE_SECONDS: seconds
    .default(120)
    .meta({ description: 'An event that is pending for longer is published again' }),
  SWEEP_MAX_ATTEMPTS: count.default(12).meta({
    description: 'Number of times an event is published again without being settled before it is marked dead',
  }),
  TOMBSTONE_RETENTION_DAYS: z.coerce
    .number()
    // Longer than the lifetime of any message.
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
    .min(15, 'must be at least 15: SQS keeps a message for 14 days')
    .default(30)
    .meta({ description: 'How long a deletion is remembered; at least 15' }),
  PROCESSED_RETENTION_DAYS: z.coerce
    .number()
    .positive()
    .default(7)
    .meta({ description: 'How long processed events are kept' }),
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.default('').meta({
    description:
      'Base URL for OTLP over HTTP: spans go to its path `/v1/traces` and metrics of the worker to `/v1/metrics`. ' +
      'Empty: neither',
  }),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint
    .default('')
    .meta({ description: 'URL for spans only, including the path; takes precedence' }),
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: endpoint
    .default('')
    .meta({ description: "URL for the worker's metrics only, including the path; takes precedence" }),
  OTEL_SDK_DISABLED: z
    .string()
    .default('')
    .transform((value) => value.toLowerCase() === 'true')
    .meta({ description: '`true` disables spans and metrics by OTLP, whatever the endpoint' }),
  OUTGRAPH_CATALOG: z
    .string()
    .default('')
    .meta({
      description:
        'Module with the aggregate types of your service, for the worker and ' +
        'the commands with `--catalog`; empty: the built-in types',
    }),
  WORKER_CONSUMERS: count.default(2).meta({ description: 'Number of batches applied at once' }),
  WORKER_BATCH_SIZE: count.max(10_000).default(1_000).meta({ description: 'Maximum number of events in a batch' }),
  WORKER_SWEEP_SECONDS: seconds.default(60).meta({ description: 'Interval between two sweeps' }),
});

const mongodb = { MONGODB_URI: true, MONGODB_DATABASE: true } as const;
const neo4j = {
  NEO4J_URI: true,
  NEO4J_USERNAME: true,
  NEO4J_PASSWORD: true,
  NEO4J_DATABASE: true,
  OUTGRAPH_SOURCE: true,
} as const;
const secrets = { SECRETS_MAX_AGE_SECONDS: true } as const;
/** For the worker and the commands. A function never connects without TLS. */
const plain = { OUTGRAPH_ALLOW_PLAIN_CONNECTIONS: true } as const;
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

/** The addresses of both databases. */
export const databaseSettings = settings.pick({ ...databases, ...plain });

export const publisherSettings = settings.pick({
  ...mongodb,
  ...secrets,
  EVENT_BUS_NAME: true,
  PUBLISHER_LEASE_SECONDS: true,
  POINTERS_PER_ENTRY: true,
  PUBLISHER_LINGER_MILLIS: true,
});

/** Settings of any consumer. */
export const consumerSettings = settings.pick({ ...databases, ...trials });

/**
 * Settings of the consumer on SQS, which changes the visibility of messages and moves unreadable
 * ones.
 */
export const queueConsumerSettings = settings.pick({
  ...databases,
  ...trials,
  QUEUE_URL: true,
  DEAD_LETTER_QUEUE_URL: true,
});

export const sweepSettings = settings.pick({ ...databases, ...sweeping, QUEUE_URL: true, POINTERS_PER_ENTRY: true });

/** Settings of the set-up's function. */
export const setUpFunctionSettings = settings.pick({ ...databases, PROCESSED_RETENTION_DAYS: true });

/**
 * Settings of the set-up; pass them to `readSettings`.
 *
 * @example
 * await setUpOnce(readSettings(setUpSettings, process.env), catalog);
 */
export const setUpSettings = settings.pick({ ...databases, ...plain, PROCESSED_RETENTION_DAYS: true });

/**
 * Settings of the worker: publisher, consumer and sweep without bus and queue; pass them to
 * `readSettings`.
 *
 * @example
 * const worker = startWorker(readSettings(workerSettings, process.env), catalog, log);
 */
export const workerSettings = settings.pick({
  ...databases,
  ...plain,
  ...trials,
  ...sweeping,
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: true,
  PUBLISHER_LEASE_SECONDS: true,
  OUTGRAPH_CATALOG: true,
  WORKER_CONSUMERS: true,
  WORKER_BATCH_SIZE: true,
  WORKER_SWEEP_SECONDS: true,
});

/** Settings of `outgraph status`. It needs no graph; a stage with a worker has no queue. */
export const statusSettings = settings
  .pick({ ...mongodb, ...plain, QUEUE_URL: true, DEAD_LETTER_QUEUE_URL: true, SWEEP_STALE_SECONDS: true })
  .partial({ QUEUE_URL: true, DEAD_LETTER_QUEUE_URL: true });

/** Settings of the console, which also shows one aggregate from its document to the graph. */
export const consoleSettings = settings
  .pick({ ...databases, ...plain, QUEUE_URL: true, DEAD_LETTER_QUEUE_URL: true, SWEEP_STALE_SECONDS: true })
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
/**
 * The settings of the set-up.
 *
 * @example
 * const settings: SetUpSettings = readSettings(setUpSettings, process.env);
 */
export type SetUpSettings = z.infer<typeof setUpSettings>;
/**
 * The settings of the worker.
 *
 * @example
 * const settings: WorkerSettings = readSettings(workerSettings, process.env);
 */
export type WorkerSettings = z.infer<typeof workerSettings>;

/**
 * Environment variables by name, such as `process.env`.
 *
 * @example
 * const environment: Environment = { ...process.env, MONGODB_DATABASE: 'shop' };
 */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings of one part. References are not resolved.
 *
 * @throws Fault `configuration-invalid` that names every missing or wrong setting at once, but no
 * value that may be a secret.
 * @example
 * const settings = readSettings(workerSettings, process.env);
 */
export function readSettings<Settings>(schema: z.ZodType<Settings> & z.ZodObject, environment: Environment): Settings {
  const parsed = schema.safeParse(environment);
  const issues = parsed.error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? [];
  const problems = [...plainAddresses(schema, environment), ...issues];
  if (parsed.success && problems.length === 0) return parsed.data;
  throw new Fault(
    'configuration-invalid',
    `The configuration is wrong; set these environment variables: ${problems.join('; ')}.`,
  );
}

/** The addresses of servers on other machines without TLS, unless the part may use them. */
function plainAddresses({ shape }: z.ZodObject, environment: Environment): readonly string[] {
  const canAllow = 'OUTGRAPH_ALLOW_PLAIN_CONNECTIONS' in shape;
  if (canAllow && allowsPlainConnections(environment)) return [];
  const inNetwork = canAllow ? '; inside a private network, OUTGRAPH_ALLOW_PLAIN_CONNECTIONS=1 allows it' : '';
  return Object.keys(shape).flatMap((name) => {
    const problem = plainAddressProblem(name, environment[name]);
    return problem === undefined ? [] : [`${name}: ${problem}${inNetwork}`];
  });
}

const tlsAdvice: Readonly<Record<string, string>> = {
  MONGODB_URI: 'add tls=true, or use mongodb+srv://',
  NEO4J_URI: 'begin with neo4j+s:// or bolt+s://',
};

/** @returns the change to make in an address of another machine without TLS, or undefined. */
export function plainAddressProblem(name: string, value: string | undefined): string | undefined {
  const advice = tlsAdvice[name];
  if (advice === undefined || value === undefined || !isPlainAddress(value)) return undefined;
  return `must use TLS for a server that is not on this machine: ${advice}`;
}

/** Whether the worker and the commands may reach other machines without TLS. */
export function allowsPlainConnections({ OUTGRAPH_ALLOW_PLAIN_CONNECTIONS: given }: Environment): boolean {
  return flag.safeParse(given).data === true;
}
