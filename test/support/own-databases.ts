/**
 * Separate MongoDB and Neo4j servers, set up but without functions, for tests that would disturb
 * others.
 */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { readSettings, setUpSettings } from '../../lib/runtime/settings.ts';
import { setUpOnce } from '../../lib/set-up/wiring.ts';
import { dismissWatchdog } from '../../tools/local/children.ts';
import { installMongod } from '../../tools/local/mongod.ts';
import { startRestartableNeo4j } from '../../tools/local/neo4j.ts';
import { runFolder } from '../../tools/local/paths.ts';
import { printStep } from '../../tools/local/progress.ts';
import { startRestartableMongodb } from '../../tools/local/restartable-mongodb.ts';
import { catalog } from '../../xmem/catalog.ts';

/** Running databases. */
export interface OwnDatabases {
  /** The environment with which a function or the worker reaches the databases. */
  readonly environment: {
    readonly MONGODB_URI: string;
    readonly MONGODB_DATABASE: string;
    readonly NEO4J_URI: string;
    readonly NEO4J_USERNAME: string;
    readonly NEO4J_PASSWORD: string;
    readonly NEO4J_DATABASE: string;
  };
  /** A folder for files of a test. It is removed with the databases. */
  readonly folder: string;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a MongoDB with this number of members, and a Neo4j. If a step fails, everything started
 * before is stopped.
 */
export async function startOwnDatabases({ mongodbMembers = 1 } = {}): Promise<OwnDatabases> {
  const { signal } = new AbortController();
  const folder = runFolder();
  const logsFolder = path.join(folder, 'logs');
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const one of undo.splice(0).reverse()) await one();
    dismissWatchdog();
  };
  await mkdir(logsFolder, { recursive: true });
  undo.push(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  try {
    const binary = await installMongod(printStep, signal);
    const mongodb = await startRestartableMongodb({ binary, folder, logsFolder, members: mongodbMembers });
    undo.push(mongodb.stop);
    const neo4j = await startRestartableNeo4j(folder, printStep, signal, { shortLived: true });
    undo.push(() => neo4j.server.stop());
    const environment = {
      MONGODB_URI: mongodb.uri,
      MONGODB_DATABASE: 'outgraph',
      NEO4J_URI: neo4j.uri,
      NEO4J_USERNAME: '',
      NEO4J_PASSWORD: '',
      NEO4J_DATABASE: 'neo4j',
    };
    await setUpOnce(readSettings(setUpSettings, environment), catalog);
    return { environment, folder, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
