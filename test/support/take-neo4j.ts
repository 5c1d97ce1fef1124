/** A Neo4j that a test file has to itself, from the pool of the run. */
import { inject } from 'vitest';
import type { PoolAction, PooledAddress } from './global-setup/neo4j-pool.ts';
import type {} from './global-setup/servers.ts';

/** It goes back to the pool when the file ends: there is nothing to release. */
export interface OwnNeo4j extends PooledAddress {
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Ends it without a chance to say goodbye. */
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
  const pool = inject('neo4jPool');
  taken += 1;
  const slot = `neo4j-${process.env.VITEST_POOL_ID}-${taken}`;
  const act = async (action: PoolAction, body?: unknown) => {
    const answer = await fetch(`${pool}/${slot}/${action}`, { method: 'POST', body: JSON.stringify(body ?? null) });
    if (!answer.ok) throw new Error(`Neo4j of the pool, ${action}: ${await answer.text()}`);
    return answer.json();
  };
  const address = (await act('take')) as PooledAddress;
  return {
    ...address,
    start: () => act('start') as Promise<void>,
    stop: () => act('stop') as Promise<void>,
    kill: () => act('kill') as Promise<void>,
    pause: () => act('pause') as Promise<void>,
    resume: () => act('resume') as Promise<void>,
    configure: (lines) => act('configure', lines) as Promise<void>,
  };
}
