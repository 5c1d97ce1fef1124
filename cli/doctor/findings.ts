/** What the doctor makes of the facts of MongoDB. Pure. */

import { type ServerFacts, standalone } from '../../lib/set-up/mongodb-inspect-server.ts';
import { clockText, setUpAdvice } from './advice.ts';
import { type Finding, ok, skipped, warning, wrong } from './doctor.ts';
import { clockSkewSeconds, oldestMongodb, oplogHours } from './expectations.ts';

/** What there is and what this user cannot see, of the collections that were asked for. */
export interface CollectionsFound {
  readonly missing: readonly string[];
  readonly unseen: readonly string[];
}

export interface ValidatorFound {
  /** `other`: of another version, or changed by hand. */
  readonly state: 'none' | 'other' | 'same';
  readonly level: string;
  readonly action: string;
}

export interface IndexProblem {
  readonly collection: string;
  readonly index: string;
  readonly problem: string;
}

/** The user's name, null without authentication; and what each part's role has that it has not. */
export interface MongodbUser {
  readonly user: string | null;
  readonly parts: readonly { readonly part: string; readonly lacks: readonly string[]; readonly of: number }[];
}

export interface OplogFound {
  readonly hours: number;
  /** It is not full yet, and so reaches back to its beginning. */
  readonly isGrowing: boolean;
}

export function judgeTopology({ topology }: ServerFacts): Finding {
  if (topology !== 'standalone') return ok(topology);
  return wrong(standalone.problem, standalone.advice);
}

export function judgeVersion({ version }: ServerFacts): Finding {
  if (Number(version.split('.')[0]) >= oldestMongodb) return ok(version);
  return wrong(`${version}, and outgraph needs ${oldestMongodb}.0 or newer`, 'Upgrade MongoDB.');
}

/** A server that was upgraded works like the older version until it is told otherwise. */
export function judgeFeatureVersion(version: string): Finding {
  if (Number(version.split('.')[0]) >= oldestMongodb) return ok(version);
  return wrong(
    `the server works as version ${version}`,
    `Finish the upgrade: db.adminCommand({ setFeatureCompatibilityVersion: '${oldestMongodb}.0' }).`,
  );
}

/**
 * outgraph's own writes and those of its libraries ask for `majority` themselves; a writer by the contract, in another
 * language, may rely on the default.
 */
export function judgeWriteConcern(w: string): Finding {
  if (w === 'majority') return ok('majority by default');
  return warning(
    `by default ${w}: what a writer without a write concern of its own writes may be rolled back, after the graph has it`,
    "Make it majority: db.adminCommand({ setDefaultRWConcern: 1, defaultWriteConcern: { w: 'majority' } }).",
  );
}

export function judgeCollections({ missing, unseen }: CollectionsFound): Finding {
  if (missing.length > 0) return wrong(`missing: ${missing.join(', ')}`, setUpAdvice);
  return ok(unseen.length > 0 ? `not for this user to see: ${unseen.join(', ')}; the others are there` : 'all there');
}

export function judgeValidator({ state, level, action }: ValidatorFound): Finding {
  if (state === 'none')
    return wrong('outbox has no validator: a wrong event is written, and will be dead', setUpAdvice);
  if (state === 'other')
    return wrong('the validator of outbox is not the one of this version (schema/outbox.validator.json)', setUpAdvice);
  if (action !== 'error' || level === 'off')
    return wrong(`the validator of outbox lets wrong events through (${level}, ${action})`, setUpAdvice);
  if (level !== 'moderate')
    return wrong('an event that gets past the validator of outbox cannot be marked dead (it is strict)', setUpAdvice);
  return ok('the one of this version; a wrong event aborts the transaction of its writer');
}

export function judgeIndexes(problems: readonly IndexProblem[]): Finding {
  if (problems.length === 0) return ok('all there, as this version makes them');
  const words = problems.map(({ collection, index, problem }) => `${index} of ${collection} ${problem}`);
  return wrong(words.join('; '), `${setUpAdvice} Where the set-up does not bring it right, drop the index first.`);
}

export function judgeRetention(seconds: number | null, wantedDays: number | null): Finding {
  if (seconds === null) return wrong('nothing purges processed events: outbox grows without end', setUpAdvice);
  const kept = `processed events are kept for ${round(seconds / 86_400)} days`;
  if (wantedDays === null || wantedDays * 86_400 === seconds) return ok(kept);
  return wrong(`${kept}, and PROCESSED_RETENTION_DAYS says ${wantedDays}`, setUpAdvice);
}

export function judgeUser({ user, parts }: MongodbUser, isLocal: boolean): Finding {
  const docs = 'docs/explanation/security.md has a role for each part, and the command that makes it.';
  if (user === null)
    return isLocal
      ? ok('no authentication, on this machine')
      : warning('nobody asks for a password: whoever reaches the server may do everything', docs);
  const able = parts.filter(({ lacks }) => lacks.length === 0).map(({ part }) => part);
  if (able.length > 0) return ok(`${user} may do what these do: ${able.join(', ')}`);
  const nearest = [...parts].sort((a, b) => a.lacks.length / a.of - b.lacks.length / b.of)[0];
  return warning(
    `${user} may do what no part does in full; next to it ${nearest?.part}, which needs also: ${nearest?.lacks.join(', ')}`,
    docs,
  );
}

export function judgeOplog(oplog: OplogFound | null): Finding {
  if (oplog === null) return skipped('the shards of a cluster have one each');
  const words = `reaches back ${round(oplog.hours)} hours`;
  if (oplog.isGrowing) return ok(`${words}, to its beginning: it is not full yet`);
  if (oplog.hours >= oplogHours) return ok(words);
  return warning(
    `${words}: a publisher that is away for longer publishes all pending events by index`,
    `Make it larger, for ${oplogHours} hours at least: db.adminCommand({ replSetResizeOplog: 1, size: <megabytes>, minRetentionHours: ${oplogHours} }), on each member.`,
  );
}

export function judgeDocuments({ missing, unseen }: CollectionsFound, all: readonly string[]): Finding {
  if (missing.length > 0)
    return warning(
      `no such collection (yet): ${missing.join(', ')}`,
      'Right for types that nobody has written yet, and for those whose events have no documents. Otherwise see MONGODB_DATABASE and the names in the catalog.',
    );
  if (unseen.length === all.length) return skipped('this user has no right on them');
  return ok(`there: ${all.filter((name) => !unseen.includes(name)).join(', ')}`);
}

/** Something in a collection of documents, by a name that a person finds it by. */
export interface CollectionProblem {
  readonly collection: string;
  readonly problem: string;
}

/** The server's own deletions come without an event. */
export function judgeTtlIndexes(found: readonly CollectionProblem[]): Finding {
  if (found.length === 0) return ok('only by writers: no collection has a TTL index');
  return wrong(
    `MongoDB itself deletes documents, without an event: ${wordsOf(found)}`,
    'Drop the TTL index and let a writer delete what has expired, with its event. Remove what stayed behind in the graph: outgraph verify --repair.',
  );
}

/** One aggregate of two documents: the graph follows whichever was written last. */
export function judgeIdClashes(found: readonly CollectionProblem[]): Finding {
  if (found.length === 0) return ok('no two documents have the same aggregate id, as far as was looked');
  return wrong(
    `documents that share an aggregate id, because their _id differs only in its type: ${wordsOf(found)}`,
    'Give one of them another _id, or declare the aggregate with an id function that tells them apart.',
  );
}

/** No more than a person reads. */
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
  return warning(words, 'Let NTP set the clocks: ages and lags are told by them.');
}
