/**
 * The doctor's checks of MongoDB: the server, the set-up, the user's rights, the oplog and the
 * documents.
 */
import { contractVersion } from '../../lib/contract/outbox-event.ts';
import { type OplogFacts, type ServerFacts, standalone } from '../../lib/set-up/mongodb-inspect-server.ts';
import { imitation } from '../../lib/set-up/mongodb-timestamps.ts';
import { type Check, clockText, type Finding, ok, setUpAdvice, skipped, warning, wrong } from './doctor.ts';
import { clockSkewSeconds, oldestMongodb, oldestSupportedMongodb, oplogHours } from './expectations.ts';
import type { CollectionProblem } from './mongodb-inspect-documents.ts';
import type { CollectionFacts, IndexProblem, ValidatorFacts } from './mongodb-inspect-outbox.ts';
import type { UserFacts } from './mongodb-inspect-user.ts';

/** The facts to judge. The queries throw their faults. */
export interface MongodbPorts {
  readonly readServer: () => Promise<ServerFacts>;
  readonly readFeatureVersion: () => Promise<string>;
  /** Whether the server fills in positions. Null if the user may not prove it. */
  readonly fillsTimestamps: () => Promise<boolean | null>;
  readonly readWriteConcern: () => Promise<string>;
  /** Null behind a router. */
  readonly readOplog: () => Promise<OplogFacts | null>;
  readonly readUser: () => Promise<UserFacts>;
  readonly findCollections: (names: readonly string[]) => Promise<CollectionFacts>;
  readonly readValidator: () => Promise<ValidatorFacts>;
  readonly readContractVersion: () => Promise<number | null>;
  readonly findIndexProblems: () => Promise<readonly IndexProblem[]>;
  readonly findTtlIndexes: () => Promise<readonly CollectionProblem[]>;
  readonly findIdClashes: () => Promise<readonly CollectionProblem[]>;
  /** Null if the index is missing, or purges nothing. */
  readonly readRetentionSeconds: () => Promise<number | null>;
}

export interface MongodbExpected {
  readonly isLocal: boolean;
  readonly ownCollections: readonly string[];
  /** Null if PROCESSED_RETENTION_DAYS is not set. */
  readonly retentionDays: number | null;
  /** Of the catalog's aggregates; empty if it cannot be loaded. */
  readonly documentCollections: readonly string[];
}

export interface MongodbChecks {
  readonly all: readonly Check[];
  readonly reachable: Check;
  readonly collections: Check;
  readonly indexes: Check;
}

/** @param ports null if the address is missing. */
export function mongodbChecks(ports: MongodbPorts | null, expected: MongodbExpected): MongodbChecks {
  const { documentCollections: documents } = expected;
  const group = 'MongoDB';
  const reachable: Check = {
    group,
    name: 'reachable',
    advice:
      'Check that MONGODB_URI names a running server, and that the network allows this machine ' +
      '(on Atlas: the IP access list).',
    examine: async () => {
      if (ports === null) return skipped('MONGODB_URI is not usable: see Configuration');
      const { topology, version } = await ports.readServer();
      return ok(`${topology}, version ${version}`);
    },
  };
  const all: Check[] = [reachable];
  const add = (
    name: string,
    right: string,
    examine: (mongodb: MongodbPorts) => Promise<Finding>,
    fields: Partial<Pick<Check, 'needs' | 'advice' | 'isOptional'>> = {},
  ): Check => {
    // Without ports, the check `reachable` is skipped, and so is this one.
    const run = async () => (ports === null ? skipped('MONGODB_URI is not usable') : examine(ports));
    const advice = "Run it again; if it fails again, check the server's log.";
    const check: Check = { group, name, right, advice, needs: [reachable], examine: run, ...fields };
    all.push(check);
    return check;
  };
  const addForDocuments = (name: string, right: string, examine: (mongodb: MongodbPorts) => Promise<Finding>) =>
    add(name, right, async (mongodb) =>
      documents.length === 0 ? skipped('the catalog has no documents') : examine(mongodb),
    );
  // Not every tier of Atlas has these commands.
  const optional = { isOptional: true } as const;
  const replicaSet = add('replica set', 'none is needed', async (mongodb) => judgeTopology(await mongodb.readServer()));
  add('version', 'none is needed', async (mongodb) => judgeVersion(await mongodb.readServer(), expected.isLocal));
  add(
    'timestamps',
    'it needs find and insert on a collection of outgraph',
    async (mongodb) => judgeTimestamps(await mongodb.fillsTimestamps()),
    { needs: [replicaSet] },
  );
  add(
    'feature compatibility',
    'it needs getParameter on the cluster',
    async (mongodb) => judgeFeatureVersion(await mongodb.readFeatureVersion()),
    optional,
  );
  add(
    'write concern',
    'it needs getDefaultRWConcern on the cluster',
    async (mongodb) => judgeWriteConcern(await mongodb.readWriteConcern()),
    optional,
  );
  const collections = add('collections', 'it needs a right on each of them', async (mongodb) =>
    judgeCollections(await mongodb.findCollections(expected.ownCollections)),
  );
  const setUp = { needs: [collections], advice: setUpAdvice };
  add(
    'validator',
    'it needs listCollections on the database',
    async (mongodb) => judgeValidator(await mongodb.readValidator()),
    setUp,
  );
  add(
    'contract',
    'it needs find on outboxIdentity',
    async (mongodb) => judgeContract(await mongodb.readContractVersion()),
    setUp,
  );
  const indexes = add(
    'indexes',
    'it needs listIndexes on the collections',
    async (mongodb) => judgeIndexes(await mongodb.findIndexProblems()),
    setUp,
  );
  add(
    'purge',
    'it needs listIndexes on outbox',
    async (mongodb) => judgeRetention(await mongodb.readRetentionSeconds(), expected.retentionDays),
    setUp,
  );
  add('rights of the user', 'none is needed', async (mongodb) => judgeUser(await mongodb.readUser(), expected.isLocal));
  add('oplog', 'it needs find on local.oplog.rs', async (mongodb) => judgeOplog(await mongodb.readOplog()), optional);
  addForDocuments('documents', 'it needs a right on each of them', async (mongodb) =>
    judgeDocuments(await mongodb.findCollections(documents), documents),
  );
  addForDocuments('deletion of documents', 'it needs listIndexes on each of their collections', async (mongodb) =>
    judgeTtlIndexes(await mongodb.findTtlIndexes()),
  );
  addForDocuments('ids of documents', 'it needs find on each of their collections', async (mongodb) =>
    judgeIdClashes(await mongodb.findIdClashes()),
  );
  add('clock', 'none is needed', async (mongodb) => judgeClock(await mongodb.readServer()));
  return { all, reachable, collections, indexes };
}

export function judgeTopology({ topology }: ServerFacts): Finding {
  if (topology !== 'standalone') return ok(topology);
  return wrong(standalone.problem, standalone.advice);
}

export function judgeVersion({ version }: ServerFacts, isLocal: boolean): Finding {
  const major = Number(version.split('.')[0]);
  if (major < oldestMongodb)
    return wrong(`${version}, but outgraph needs ${oldestMongodb}.0 or newer`, 'Upgrade MongoDB.');
  if (major >= oldestSupportedMongodb || isLocal) return ok(version);
  return warning(
    `${version}, which MongoDB has not supported since July 2025: it gets no more security fixes`,
    `Upgrade MongoDB to ${oldestSupportedMongodb}.0 or newer: https://www.mongodb.com/legal/support-policy/lifecycles`,
  );
}

function judgeTimestamps(areFilled: boolean | null): Finding {
  if (areFilled === null)
    return skipped(
      'this user may not insert where it may read',
      'To check it, run the doctor as the user of publisher, consumer, sweep, worker or set-up.',
    );
  return areFilled
    ? ok('the server fills in empty ones, also in a transaction')
    : wrong(imitation.problem, imitation.advice);
}

/** An upgraded server keeps the behaviour of the older version until this is set. */
export function judgeFeatureVersion(version: string): Finding {
  if (Number(version.split('.')[0]) >= oldestMongodb) return ok(version);
  return wrong(
    `the feature compatibility version is still ${version}`,
    `Finish the upgrade: db.adminCommand({ setFeatureCompatibilityVersion: '${oldestMongodb}.0' }).`,
  );
}

/**
 * outgraph and its writer libraries request `majority` themselves. Any other writer may rely on the
 * default.
 */
export function judgeWriteConcern(w: string): Finding {
  if (w === 'majority') return ok('majority by default');
  return warning(
    `the default is ${w}: a write without its own write concern may be rolled back after the graph has it`,
    "Set it to majority: db.adminCommand({ setDefaultRWConcern: 1, defaultWriteConcern: { w: 'majority' } }).",
  );
}

function judgeCollections({ missing, unseen }: CollectionFacts): Finding {
  if (missing.length > 0) return wrong(`missing: ${missing.join(', ')}`, setUpAdvice);
  return ok(unseen.length > 0 ? `not visible to this user: ${unseen.join(', ')}; the others exist` : 'all exist');
}

function judgeValidator({ state, level, action }: ValidatorFacts): Finding {
  if (state === 'none')
    return wrong('outbox has no validator: an invalid event is written, and will be dead', setUpAdvice);
  if (state === 'other')
    return wrong('the validator of outbox is not the one of this version (schema/outbox.validator.json)', setUpAdvice);
  if (action !== 'error' || level === 'off')
    return wrong(`the validator of outbox accepts invalid events (${level}, ${action})`, setUpAdvice);
  if (level !== 'moderate')
    return wrong('the validator of outbox is strict: an event that bypasses it cannot be marked dead', setUpAdvice);
  return ok('the one of this version; it rejects an invalid event, and aborts its transaction');
}

/** Events name no version: the doctor compares the outbox, and a writer library states its own. */
export function judgeContract(found: number | null): Finding {
  if (found === null) return warning('the set-up that ran last recorded no version of the contract', setUpAdvice);
  if (found < contractVersion)
    return wrong(
      `outbox has version ${found} of the contract; this version of outgraph has ${contractVersion}`,
      setUpAdvice,
    );
  if (found > contractVersion)
    return warning(
      `outbox has version ${found} of the contract, newer than this version's ${contractVersion}`,
      'Run the doctor of the version that applied the set-up.',
    );
  return ok(`version ${found}, as this version's; a writer library states its own`);
}

function judgeIndexes(problems: readonly IndexProblem[]): Finding {
  if (problems.length === 0) return ok('all exist, as this version creates them');
  const words = problems.map(({ collection, index, problem }) => `${index} of ${collection} ${problem}`);
  return wrong(words.join('; '), `${setUpAdvice} If the set-up does not fix an index, drop it first.`);
}

function judgeRetention(seconds: number | null, wantedDays: number | null): Finding {
  if (seconds === null) return wrong('nothing purges processed events: outbox grows without limit', setUpAdvice);
  const kept = `processed events are kept for ${round(seconds / 86_400)} days`;
  if (wantedDays === null || wantedDays * 86_400 === seconds) return ok(kept);
  return wrong(`${kept}, but PROCESSED_RETENTION_DAYS is ${wantedDays}`, setUpAdvice);
}

export function judgeUser({ user, parts }: UserFacts, isLocal: boolean): Finding {
  const docs = 'docs/explanation/security.md has a role for each part, and the command that creates it.';
  if (user === null)
    return isLocal
      ? ok('no authentication, on this machine')
      : warning('there is no authentication: anyone who reaches the server has all rights', docs);
  const able = parts.filter(({ lacks }) => lacks.length === 0).map(({ part }) => part);
  if (able.length > 0) return ok(`${user} has the rights of: ${able.join(', ')}`);
  const nearest = [...parts].sort((a, b) => a.lacks.length / a.of - b.lacks.length / b.of)[0];
  return warning(
    `${user} has all rights of no part; the closest is ${nearest?.part}, which also needs: ` +
      nearest?.lacks.join(', '),
    docs,
  );
}

export function judgeOplog(oplog: OplogFacts | null): Finding {
  if (oplog === null) return skipped('each shard of a cluster has its own');
  const words = `reaches back ${round(oplog.hours)} hours`;
  if (oplog.isGrowing) return ok(`${words}, to its start: it is not full yet`);
  if (oplog.hours >= oplogHours) return ok(words);
  return warning(
    `${words}: a publisher that stops for longer publishes all pending events by index`,
    `Enlarge it to at least ${oplogHours} hours, on each member: ` +
      `db.adminCommand({ replSetResizeOplog: 1, size: <megabytes>, minRetentionHours: ${oplogHours} }).`,
  );
}

function judgeDocuments({ missing, unseen }: CollectionFacts, all: readonly string[]): Finding {
  if (missing.length > 0)
    return warning(
      `missing collections: ${missing.join(', ')}`,
      'Expected for types that are not written yet, or whose events have no documents. ' +
        'Otherwise check MONGODB_DATABASE and the collection names in the catalog.',
    );
  if (unseen.length === all.length) return skipped('this user has no right on them');
  return ok(`found: ${all.filter((name) => !unseen.includes(name)).join(', ')}`);
}

/** MongoDB records no event for the documents that it deletes itself. */
function judgeTtlIndexes(found: readonly CollectionProblem[]): Finding {
  if (found.length === 0) return ok('only by writers: no collection has a TTL index');
  return wrong(
    `MongoDB deletes documents itself, without an event: ${wordsOf(found)}`,
    'Drop the TTL index, and let a writer delete expired documents with an event. ' +
      'To remove ghosts from the graph, run: outgraph verify --repair.',
  );
}

/**
 * If two documents have the same aggregate id, the graph has the state of whichever was written
 * last.
 */
function judgeIdClashes(found: readonly CollectionProblem[]): Finding {
  if (found.length === 0) return ok('no two of the checked documents have the same aggregate id');
  return wrong(
    `documents share an aggregate id, because their _id differs only in its type: ${wordsOf(found)}`,
    'Change the _id of one of them, or declare the aggregate with an id function that distinguishes them.',
  );
}

/** More would be hard to read. */
const shownProblems = 5;

function wordsOf(found: readonly CollectionProblem[]): string {
  const words = found.slice(0, shownProblems).map(({ collection, problem }) => `${problem} of ${collection}`);
  const others = found.length - words.length;
  return `${words.join('; ')}${others > 0 ? `; and ${others} more` : ''}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export function judgeClock({ clockAheadMillis }: ServerFacts): Finding {
  const seconds = clockAheadMillis / 1_000;
  const words = clockText(seconds, 'this machine');
  if (Math.abs(seconds) <= clockSkewSeconds) return ok(words);
  return warning(words, 'Synchronise the clocks with NTP: ages and lags depend on them.');
}
