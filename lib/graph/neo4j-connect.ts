/** Creates the Neo4j driver of a process: one for all flows, kept over warm invocations. */
import neo4j, { type Driver } from 'neo4j-driver';

/** Neo4j's address. Without a username, outgraph connects without authentication. */
export interface Neo4jAddress {
  readonly uri: string;
  readonly username: string;
  readonly password: string;
}

/** How long the driver retries a transaction after a transient error: well below the functions' time-outs of 60 s. */
const defaultRetrySeconds = 15;

/**
 * Options for every `executeQuery`. With bookmarks, the driver would require a server that has everything this process
 * has seen. A server restored from a backup never has, and a warm process would wait for it in vain. No query needs
 * bookmarks: a decision based on a read is checked again under a lock.
 */
export const noBookmarks = { bookmarkManager: null } as const;

/** Creates a driver. It connects with the first query, so an unreachable server shows then. Integers are `bigint`. */
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
