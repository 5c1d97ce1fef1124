/** A Neo4j that a test file has to itself, from the pool of the run. */
import { askSetUp } from './ask-set-up.ts';
import type { PoolAction, PooledAddress } from './global-setup/neo4j-pool.ts';

/** It goes back to the pool when the file ends: there is nothing to release. */
export interface OwnNeo4j extends PooledAddress {
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Ends it without a chance to shut down. */
  readonly kill: () => Promise<void>;
  /** It holds its connections and answers nothing, until it is resumed. */
  readonly pause: () => Promise<void>;
  readonly resume: () => Promise<void>;
  /** Lines for its configuration file, from its next start on; they replace earlier ones. */
  readonly configure: (lines: readonly string[]) => Promise<void>;
}

let taken = 0;

/** Takes an empty server without authentication; another one with each call. */
export async function takeNeo4j(): Promise<OwnNeo4j> {
  taken += 1;
  const slot = `${process.env.VITEST_POOL_ID}-${taken}`;
  const act = (action: PoolAction) => () => askSetUp<void>(`neo4j/${slot}/${action}`);
  return {
    ...(await askSetUp<PooledAddress>(`neo4j/${slot}/take`)),
    start: act('start'),
    stop: act('stop'),
    kill: act('kill'),
    pause: act('pause'),
    resume: act('resume'),
    configure: (lines) => askSetUp(`neo4j/${slot}/configure`, lines),
  };
}
