/** A MongoDB and a Neo4j of a test's own that let nobody in without a password. */
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

/** A password that is in no log by chance. */
export function randomPassword(): string {
  return randomBytes(12).toString('hex');
}

export interface SecuredMongodb {
  /** Of an administrator. */
  readonly admin: MongoClient;
  readonly adminPassword: string;
  readonly uriOf: (user: string, password: string) => string;
  readonly stop: () => Promise<void>;
}

/** Starts a replica set of one member with access control, and makes an administrator. */
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
  // The first user may be made from this machine without one.
  const nobody = new MongoClient(set.uri);
  const password = randomPassword();
  await nobody.db('admin').command({ createUser: 'root', pwd: password, roles: ['root'] });
  await nobody.close();
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

/** Starts a Neo4j that asks for a password. */
export async function startSecuredNeo4j(): Promise<SecuredNeo4j> {
  const folder = path.join(runFolder(), 'secured-neo4j');
  const password = randomPassword();
  const { uri, server } = await startRestartableNeo4j(folder, printStep, signal, { password, shortLived: true });
  return {
    address: { uri, username: 'neo4j', password },
    stop: async () => {
      await server.stop();
      await removeFolder(folder);
    },
  };
}

/** And the one that it is in, if nothing else is. */
async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  await rmdir(runFolder()).catch(() => undefined);
}
