/** A MongoDB and a Neo4j with access control, for one test. */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { MongoClient } from 'mongodb';
import type { Neo4jAddress } from '../../../lib/graph/neo4j-connect.ts';
import { installMongod } from '../../../tools/local/mongod.ts';
import { startRestartableNeo4j } from '../../../tools/local/neo4j.ts';
import { runFolder } from '../../../tools/local/paths.ts';
import { printStep } from '../../../tools/local/progress.ts';
import { startRestartableMongodb } from '../../../tools/local/restartable-mongodb.ts';

const { signal } = new AbortController();

/** A password that does not occur in a log by chance. */
export function randomPassword(): string {
  return randomBytes(12).toString('hex');
}

export interface SecuredMongodb {
  /** A client of an administrator. */
  readonly admin: MongoClient;
  readonly adminPassword: string;
  readonly uriOf: (user: string, password: string) => string;
  readonly stop: () => Promise<void>;
}

/** Starts a replica set of one member with access control, and creates an administrator. */
export async function startSecuredMongodb(): Promise<SecuredMongodb> {
  const folder = path.join(runFolder(), 'secured-mongodb');
  await mkdir(folder, { recursive: true });
  const keyFile = path.join(folder, 'key');
  await writeFile(keyFile, randomBytes(96).toString('base64'), { mode: 0o600 });
  const binary = await installMongod(printStep, signal);
  const set = await startRestartableMongodb({
    binary,
    folder,
    logsFolder: folder,
    members: 1,
    extraArgs: ['--keyFile', keyFile, '--setParameter', 'ttlMonitorSleepSecs=1'],
  });
  // The first user can be created from this machine without a login.
  const anonymous = new MongoClient(set.uri);
  const password = randomPassword();
  await anonymous.db('admin').command({ createUser: 'root', pwd: password, roles: ['root'] });
  await anonymous.close();
  const uriOf = (user: string, pwd: string) => set.uri.replace('mongodb://', `mongodb://${user}:${pwd}@`);
  const admin = new MongoClient(uriOf('root', password));
  return {
    admin,
    adminPassword: password,
    uriOf,
    stop: async () => {
      await admin.close();
      await set.stop();
      await removeFolder(folder);
    },
  };
}

export interface SecuredNeo4j {
  readonly address: Neo4jAddress;
  readonly stop: () => Promise<void>;
}

/** Starts a Neo4j that requires a password, with a database of this name. */
export async function startSecuredNeo4j(databaseName = 'neo4j'): Promise<SecuredNeo4j> {
  const folder = path.join(runFolder(), 'secured-neo4j');
  const password = randomPassword();
  const { uri, server } = await startRestartableNeo4j(folder, printStep, signal, {
    password,
    shortLived: true,
    settings: [`initial.dbms.default_database=${databaseName}`],
  });
  return {
    address: { uri, username: 'neo4j', password },
    stop: async () => {
      await server.stop();
      await removeFolder(folder);
    },
  };
}

/** Removes the folder, and its parent folder if that is empty. */
async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  await rmdir(runFolder()).catch(() => undefined);
}
