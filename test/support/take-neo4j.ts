/** A Neo4j that a test file has to itself, from the pool of the run. */
import { askSetUp } from './ask-set-up.ts';
import type { PoolAction, PooledAddress } from './global-setup/neo4j-pool.ts';

export interface OwnNeo4j extends PooledAddress {
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Ends it without a chance to shut down. */
  readonly kill: () => Promise<void>;
  /** Lines for its configuration file, from its next start on. */
  readonly configure: (lines: readonly string[]) => Promise<void>;
  /** It holds its connections and answers nothing, until it is resumed. */
  readonly pause: () => Promise<void>;
  readonly resume: () => Promise<void>;
  /** Gives it back, in whatever state; the end of the test file does so too. */
  readonly release: () => Promise<void>;
}

/** Takes an empty server without authentication; another one with each call. */
export async function takeNeo4j(): Promise<OwnNeo4j> {
  const address = await askSetUp<PooledAddress>('take-neo4j', process.pid);
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
