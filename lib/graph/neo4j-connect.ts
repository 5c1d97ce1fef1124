/** Opens the one Neo4j driver of a process; it is kept over warm calls and shared by all flows. */
import neo4j, { type Driver } from 'neo4j-driver';

/** Where Neo4j is. Without a username, outgraph connects without authentication. */
export interface Neo4jAddress {
  readonly uri: string;
  readonly username: string;
  readonly password: string;
}

/**
 * How long the driver retries a transaction that failed for a passing reason: well below the functions' time-outs of 60
 * seconds.
 */
const defaultRetrySeconds = 15;

/**
 * For every `executeQuery`, which would otherwise demand a server that has all that this process has seen: one that was
 * restored from a backup never has, and a warm process would wait for it in vain. Nothing here needs it: what is
 * decided by a read is read again under a lock.
 */
export const noBookmarks = { bookmarkManager: null } as const;

/** Connects lazily: an unreachable server shows at the first query. Integers come and go as `bigint`. */
export function connectNeo4j(
  address: Neo4jAddress,
  { retrySeconds = defaultRetrySeconds, acquisitionSeconds = 10 } = {},
): Driver {
  const auth = address.username === '' ? undefined : neo4j.auth.basic(address.username, address.password);
  return neo4j.driver(address.uri, auth, {
    useBigInt: true,
    maxConnectionPoolSize: 10,
    connectionTimeout: 5_000,
    connectionAcquisitionTimeout: acquisitionSeconds * 1_000,
    maxTransactionRetryTime: retrySeconds * 1000,
    userAgent: 'outgraph',
  });
}
