/** A Neo4j for one test file, from the pool of the run. */
import { neo4jReleaseName } from '../../tools/local/neo4j-releases.ts';
import { askSetUp } from './ask-set-up.ts';
import type { PoolAction, PooledAddress } from './global-setup/neo4j-pool.ts';

export interface OwnNeo4j extends PooledAddress {
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Kills the server without a shutdown. */
  readonly kill: () => Promise<void>;
  /** Sets lines in its configuration file, which apply from its next start on. */
  readonly configure: (lines: readonly string[]) => Promise<void>;
  /** Pauses the server: it keeps its connections and answers nothing until it is resumed. */
  readonly pause: () => Promise<void>;
  readonly resume: () => Promise<void>;
  /** Returns the server to the pool, in any state. The end of the test file does so too. */
  readonly release: () => Promise<void>;
}

/**
 * Takes an empty server without authentication, another one with each call. It is of the project's
 * release.
 */
export async function takeNeo4j(): Promise<OwnNeo4j> {
  const address = await askSetUp<PooledAddress>(`take-neo4j/${neo4jReleaseName()}`, process.pid);
  const act = (action: PoolAction) => () => askSetUp<void>(`neo4j/${address.id}/${action}`);
  return {
    ...address,
    start: act('start'),
    stop: act('stop'),
    kill: act('kill'),
    configure: (lines) => askSetUp<void>(`neo4j/${address.id}/configure`, lines.join('\n')),
    pause: act('pause'),
    resume: act('resume'),
    release: act('release'),
  };
}
