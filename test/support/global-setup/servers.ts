/** Global set-up of the projects whose tests need servers: starts them, sets them up, and tells the tests where they are. */
import type { TestProject } from 'vitest/node';
import { describeServers, type ServersDescription } from '../../../infra/local/stack.ts';
import { aggregates } from '../../../lib/aggregates/catalog.ts';
import { readSettings, setUpSettings } from '../../../lib/config/settings.ts';
import { setUpOnce } from '../../../lib/wiring/set-up.ts';
import { acquireServers, releaseServers, servePoolOnce } from './shared-servers.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The servers that run for the tests; absent in projects that need none. */
    servers?: ServersDescription;
    /** Address of the pool of Neo4j servers. */
    neo4jPool?: string;
  }
}

export async function setup(project: TestProject): Promise<void> {
  const started = await acquireServers();
  const servers = describeServers(started);
  const settings = {
    MONGODB_URI: servers.mongodbUri,
    MONGODB_DATABASE: servers.mongodbDatabase,
    NEO4J_URI: servers.neo4jUri,
    NEO4J_USERNAME: servers.neo4jUsername ?? '',
    NEO4J_PASSWORD: servers.neo4jPassword ?? '',
  };
  await setUpOnce(readSettings(setUpSettings, settings), aggregates);
  project.provide('servers', servers);
  project.provide('neo4jPool', (await servePoolOnce(started)).url);
}

export const teardown = releaseServers;
