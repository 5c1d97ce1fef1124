/** Reads properties of the MongoDB server for the doctor. */

import type { Db, Document, Timestamp } from 'mongodb';
import { Fault } from '../contract/fault.ts';
import { authorizedNames } from '../outbox/collections.ts';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';

/** Properties of the answering server. */
export interface ServerFacts {
  readonly version: string;
  readonly topology: 'replica set' | 'sharded cluster' | 'standalone';
  /** How far the server's clock is ahead of this machine's. */
  readonly clockAheadMillis: number;
}

/** The problem of a server without transactions and change streams, and its solution. */
export const standalone = {
  problem: 'a standalone server has neither transactions nor change streams',
  advice:
    'Convert it to a replica set; one member is enough: ' +
    'https://www.mongodb.com/docs/manual/tutorial/convert-standalone-to-replica-set/',
} as const;

/** @throws Fault `configuration-invalid` for a standalone server; `mongodb-unavailable`. */
export async function requireReplicaSet(db: Db): Promise<void> {
  if ((await readServerFacts(db)).topology === 'standalone')
    throw new Fault('configuration-invalid', `MONGODB_URI: ${standalone.problem}. ${standalone.advice}`);
}

/**
 * Reads the server's properties after it has authenticated the user; `hello` alone needs no
 * authentication.
 *
 * @throws Fault `mongodb-unavailable`, `credentials-refused`.
 */
export async function readServerFacts(db: Db): Promise<ServerFacts> {
  return withMongodbFaults(async () => {
    await db.command({ ping: 1 });
    const before = Date.now();
    const hello = await db.command({ hello: 1 });
    const between = (before + Date.now()) / 2;
    await db.listCollections({}, authorizedNames).toArray();
    const { version } = await db.command({ buildInfo: 1 });
    return { version, topology: topologyOf(hello), clockAheadMillis: hello.localTime.getTime() - between };
  });
}

/**
 * A router identifies itself in `msg`. https://www.mongodb.com/docs/manual/reference/command/hello/
 */
function topologyOf({ msg, setName }: Document): ServerFacts['topology'] {
  if (msg === 'isdbgrid') return 'sharded cluster';
  return setName === undefined ? 'standalone' : 'replica set';
}

/** @throws Fault `mongodb-unavailable`, `permission-denied`. */
export async function readFeatureVersion(db: Db): Promise<string> {
  const command = { getParameter: 1, featureCompatibilityVersion: 1 };
  const answer = await withMongodbFaults(() => db.client.db('admin').command(command));
  return answer.featureCompatibilityVersion.version;
}

/**
 * Returns the default `w` of writes without a write concern: the configured one, or the one that
 * the server derives from its members.
 *
 * https://www.mongodb.com/docs/manual/reference/command/getDefaultRWConcern/
 *
 * @throws Fault `mongodb-unavailable`, `permission-denied`.
 */
export async function readDefaultWriteConcern(db: Db): Promise<string> {
  const answer = await withMongodbFaults(() => db.client.db('admin').command({ getDefaultRWConcern: 1 }));
  return String(answer.defaultWriteConcern?.w ?? 1);
}

/** Properties of the oplog. */
export interface OplogFacts {
  /** How far it reaches back. */
  readonly hours: number;
  /** Whether it is not full yet. */
  readonly isGrowing: boolean;
}

/**
 * Null for a router, which has no oplog.
 *
 * @throws Fault `mongodb-unavailable`, `permission-denied`.
 */
export async function readOplog(db: Db): Promise<OplogFacts | null> {
  return withMongodbFaults(async () => {
    if (topologyOf(await db.command({ hello: 1 })) === 'sharded cluster') return null;
    const oplog = db.client.db('local').collection<{ ts: Timestamp }>('oplog.rs', { readConcern: { level: 'local' } });
    const end = (direction: 1 | -1) => oplog.find().sort({ $natural: direction }).project({ ts: 1 }).limit(1).next();
    const [first, last] = [await end(1), await end(-1)];
    const [stats] = await oplog.aggregate([{ $collStats: { storageStats: {} } }]).toArray();
    const { size = 0, maxSize = 0 } = stats?.storageStats ?? {};
    return { hours: ((last?.ts.t ?? 0) - (first?.ts.t ?? 0)) / 3_600, isGrowing: size < fullShare * maxSize };
  });
}

/**
 * The server trims the oplog in large pieces. Just after that, it is slightly below its maximum.
 */
const fullShare = 0.8;
