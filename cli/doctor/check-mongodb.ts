/**
 * The doctor's checks of MongoDB: the server, what the set-up has made in it, what the user may do, and how long its
 * memory is.
 */

import type { ServerFacts } from '../../lib/set-up/mongodb-inspect-server.ts';
import { setUpAdvice } from './advice.ts';
import { type Check, type Finding, ok, skipped } from './doctor.ts';
import {
  type CollectionProblem,
  type CollectionsFound,
  type IndexProblem,
  judgeClock,
  judgeCollections,
  judgeDocuments,
  judgeFeatureVersion,
  judgeIdClashes,
  judgeIndexes,
  judgeOplog,
  judgeRetention,
  judgeTopology,
  judgeTtlIndexes,
  judgeUser,
  judgeValidator,
  judgeVersion,
  judgeWriteConcern,
  type MongodbUser,
  type OplogFound,
  type ValidatorFound,
} from './findings.ts';

/** What the checks read. Faults are the adapters'. */
export interface MongodbPorts {
  readonly readServer: () => Promise<ServerFacts>;
  readonly readFeatureVersion: () => Promise<string>;
  readonly readWriteConcern: () => Promise<string>;
  /** Null where a router stands before it. */
  readonly readOplog: () => Promise<OplogFound | null>;
  readonly readUser: () => Promise<MongodbUser>;
  readonly findCollections: (names: readonly string[]) => Promise<CollectionsFound>;
  readonly readValidator: () => Promise<ValidatorFound>;
  readonly findIndexProblems: () => Promise<readonly IndexProblem[]>;
  readonly findTtlIndexes: () => Promise<readonly CollectionProblem[]>;
  readonly findIdClashes: () => Promise<readonly CollectionProblem[]>;
  /** Null where the index is not there, or purges nothing. */
  readonly readRetentionSeconds: () => Promise<number | null>;
}

export interface MongodbExpected {
  readonly isLocal: boolean;
  readonly ownCollections: readonly string[];
  /** Null: PROCESSED_RETENTION_DAYS is not set here. */
  readonly retentionDays: number | null;
  /** Of the catalog's aggregates; empty where it cannot be loaded. */
  readonly documentCollections: readonly string[];
}

export interface MongodbChecks {
  readonly all: readonly Check[];
  readonly reachable: Check;
  readonly collections: Check;
  readonly indexes: Check;
}

/** The checks; with null, the address is missing. */
export function mongodbChecks(ports: MongodbPorts | null, expected: MongodbExpected): MongodbChecks {
  const group = 'MongoDB';
  const reachable: Check = {
    group,
    name: 'reachable',
    advice:
      'See that MONGODB_URI names a server that runs, and that the network lets this machine through (on Atlas: the IP access list).',
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
    examine: (ports: MongodbPorts) => Promise<Finding>,
    fields: Partial<Pick<Check, 'needs' | 'advice' | 'isOptional'>> = {},
  ): Check => {
    // Reachable is skipped without ports, and then this one is, too.
    const run = async () => (ports === null ? skipped('MONGODB_URI is not usable') : examine(ports));
    const advice = 'Run it again; if it stays so, look at the log of the server.';
    const check: Check = { group, name, right, advice, needs: [reachable], examine: run, ...fields };
    all.push(check);
    return check;
  };
  // Not every tier of Atlas has the commands of these.
  const optional = { isOptional: true } as const;
  add('replica set', 'none is needed', async (mongodb) => judgeTopology(await mongodb.readServer()));
  add('version', 'none is needed', async (mongodb) => judgeVersion(await mongodb.readServer()));
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
  add('documents', 'it needs a right on each of them', async (mongodb) =>
    expected.documentCollections.length === 0
      ? skipped('the catalog has no documents')
      : judgeDocuments(await mongodb.findCollections(expected.documentCollections), expected.documentCollections),
  );
  const hasNoDocuments = () => expected.documentCollections.length === 0;
  add('deletion of documents', 'it needs listIndexes on each of their collections', async (mongodb) =>
    hasNoDocuments() ? skipped('the catalog has no documents') : judgeTtlIndexes(await mongodb.findTtlIndexes()),
  );
  add('ids of documents', 'it needs find on each of their collections', async (mongodb) =>
    hasNoDocuments() ? skipped('the catalog has no documents') : judgeIdClashes(await mongodb.findIdClashes()),
  );
  add('clock', 'none is needed', async (mongodb) => judgeClock(await mongodb.readServer()));
  return { all, reachable, collections, indexes };
}
