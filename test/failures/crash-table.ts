/**
 * The crash table: for each fault, the state that it leaves, the part that recovers from it, and
 * its effect on the graph. docs/failure-modes.md shows the table. Each row is the title of a test.
 */

/** One row. */
export interface CrashRow {
  readonly dies: string;
  readonly left: string;
  readonly rights: string;
  readonly sees: string;
}

const row = (dies: string, left: string, rights: string, sees: string): CrashRow => ({ dies, left, rights, sees });

export const crashTable = {
  writerKilled: row('writer killed between the document and the event', 'nothing', 'nobody needs to', 'never'),
  publisherKilledBeforeSend: row(
    'publisher killed before a send',
    'pending events, old checkpoint',
    'the next publisher',
    'once',
  ),
  publisherKilledAfterSend: row(
    'publisher killed after a send, before the checkpoint',
    'pending events, old checkpoint',
    'the next publisher',
    'once',
  ),
  busRefusesSome: row(
    'EventBridge refuses some entries of a batch',
    'the refused unsent',
    'the publisher sends them again',
    'once',
  ),
  busRefusesLong: row(
    'EventBridge goes on refusing an entry',
    'the refused pending',
    'the sweep, past the bus',
    'once',
  ),
  busAnswersFewer: row(
    'EventBridge answers with fewer entries',
    'the unanswered count as refused',
    'the publisher sends them again',
    'once',
  ),
  busUnreachable: row(
    'EventBridge is unreachable',
    'pending events, old checkpoint',
    'the publisher, which tries on',
    'once',
  ),
  twoPublishers: row(
    'two publishers at once: the lease ran out under a paused one',
    'the late one is fenced off',
    'the lease',
    'once; the checkpoint never goes back',
  ),
  oplogRolledOver: row(
    'resume token lost: the oplog rolled over (286)',
    'a gap in the stream',
    'pending events by index',
    'once; a metric says it',
  ),
  tokenInvalid: row(
    'resume token lost: MongoDB does not know it (260)',
    'a gap in the stream',
    'pending events by index',
    'once; a metric says it',
  ),
  outboxRenewed: row(
    'the outbox dropped and made again',
    'a stream that has ended',
    'pending events by index',
    'once; a metric says it',
  ),
  eventTooLarge: row(
    'change event too large (10334)',
    'a stream stuck on it',
    'stepped past; pending events by index',
    'once',
  ),
  primaryKilledWriter: row('MongoDB primary killed while a writer commits', 'a transaction in doubt', 'driver', 'once'),
  primaryKilledPublisher: row('MongoDB primary killed under the publisher', 'a broken change stream', 'driver', 'once'),
  primaryKilledFetch: row(
    "MongoDB primary killed at the consumer's fetch",
    'message in the queue',
    'driver, queue',
    'once',
  ),
  primaryKilledAcknowledge: row(
    'MongoDB primary killed at the acknowledgement',
    'applied, still pending',
    'driver, queue',
    'once',
  ),
  primaryKilledSweep: row('MongoDB primary killed under the sweep', 'stale events', 'driver, the next sweep', 'once'),
  consumerKilledBefore: row(
    'consumer killed before the Neo4j transaction',
    'message invisible for a while',
    'queue',
    'once',
  ),
  consumerKilledDuring: row(
    'consumer killed during the Neo4j transaction',
    'locks released with its connection',
    'queue',
    'once',
  ),
  consumerKilledAfter: row(
    'consumer killed after the commit, before the acknowledgement',
    'applied, still pending',
    'queue',
    'once',
  ),
  consumerKilledLast: row(
    'consumer killed after the acknowledgement, before its response',
    'a message of a settled event',
    'queue',
    'once',
  ),
  ambiguousCommit: row(
    'connection cut after COMMIT was sent, before its answer',
    'applied, and nobody knows',
    'redelivery, position guard',
    'once',
  ),
  neo4jDown: row(
    'Neo4j down for minutes under ingest',
    'pending events, messages in the queue',
    'queue',
    'all, once; no event dead, DLQ empty',
  ),
  neo4jHangs: row(
    'Neo4j hangs',
    'pending events, messages in the queue',
    'queue',
    'all, once; no event dead, DLQ empty',
  ),
  neo4jReadOnly: row(
    'Neo4j read-only',
    'pending events, messages in the queue',
    'queue',
    'all, once; no event dead, DLQ empty',
  ),
  neo4jDiskFull: row(
    'Neo4j out of disk',
    'pending events, messages in the queue',
    'queue',
    'all, once; no event dead, DLQ empty',
  ),
  neo4jPasswordChanged: row(
    "Neo4j's password is changed under the running functions",
    'pending events, messages in the queue',
    'the consumer, which reads the new one',
    'all, once; no event dead, DLQ empty',
  ),
  neo4jMemoryLimit: row(
    'a batch and an aggregate that need more memory than Neo4j gives to a transaction',
    'pending events, messages in the queue',
    'the consumer, which halves the batch',
    'neighbours once, it never, visibly',
  ),
  foreignLock: row(
    'a transaction of another program holds a lock on a managed node',
    'one pending event, its message in the queue',
    'queue',
    'neighbours once; it once the lock is released',
  ),
  badEvents: row(
    'events that are not UTF-8, written past the validator, or with a position in the future',
    'pending among good ones',
    'the consumer, which decodes each on its own; the sweep, for those that no pointer leads to',
    'neighbours once, they never, visibly',
  ),
  messagesAgain: row('SQS delivers twice, late, out of order', 'duplicates', 'position guard', 'once'),
  messageOutlives: row(
    "the message outlives its event's purge",
    'a pointer to nothing',
    'settled without effect',
    'once',
  ),
  eventEatsMemory: row(
    "an event that takes the consumer's memory each time",
    'begun, never finished',
    'tried alone after the others, in the end dead',
    'neighbours once, it never, visibly',
  ),
  eventLoops: row(
    'an event that keeps the consumer until its time-out each time',
    'begun, never finished',
    'tried alone after the others, in the end dead',
    'neighbours once, it never, visibly',
  ),
  messageUnreadable: row('unreadable message in the queue', 'in the DLQ, with an alarm', 'a person', 'never, visibly'),
  sweepKilled: row('sweep killed in the middle', 'claimed, some unsent', 'the next sweep', 'once'),
  twoSweeps: row('two sweeps at once', 'some published twice, at most', 'position guard', 'once'),
  clockWrong: row("a writer's clock wrong by an hour", 'ages and lag off, order right', 'position', 'once'),
  workerKilled: row(
    'one of two workers killed at any step: tail, fetch, transaction, commit, acknowledgement, renewal',
    'its part of the events pending, its queue lost',
    'the other worker, after the lease',
    'once',
  ),
  workerPaused: row(
    'one of two workers paused for longer than its lease, before and after its commit',
    'the other one applies its part',
    'position guard, when it continues',
    'once',
  ),
  primaryKilledWorkers: row(
    'MongoDB primary killed under two workers, at any step',
    'broken change streams, entries that expire',
    'driver, both workers',
    'once',
  ),
  millionPending: row(
    'the outbox grows to 1,000,000 pending during an outage',
    'a long backlog',
    'drains in bounded memory and queries that use an index (shown by explain)',
    'all',
  ),
} as const satisfies Readonly<Record<string, CrashRow>>;

export type CrashName = keyof typeof crashTable;

/**
 * Rows with tests outside this folder, which use other servers: `nightly/backlog.test.ts`,
 * `end-to-end/bad-events.test.ts`, `operations/two-workers.test.ts`.
 */
export type RowElsewhere = 'millionPending' | 'badEvents' | 'workerKilled' | 'workerPaused' | 'primaryKilledWorkers';

/** The title of a row's test. */
export function rowTitle({ dies, left, rights, sees }: CrashRow): string {
  return [dies, left, rights, sees].join(' · ');
}

/** The table as docs/failure-modes.md shows it. */
export function crashTableMarkdown(): string {
  const rows = Object.values(crashTable).map(
    ({ dies, left, rights, sees }) => `| ${dies} | ${left} | ${rights} | ${sees} |`,
  );
  return [
    '| dies, or goes wrong | what is left | who puts it right | what the graph sees |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}
