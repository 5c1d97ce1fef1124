/** Creates the Neo4j driver of a process: one for all flows, kept across warm invocations. */
import neo4j, { type Driver } from 'neo4j-driver';
import { Fault } from '../contract/fault.ts';
import { idleLimitMillis } from '../runtime/idle-limit.ts';

/** Neo4j's address. Without a username, outgraph connects without authentication. */
export interface Neo4jAddress {
  readonly uri: string;
  readonly username: string;
  readonly password: string;
}

/**
 * How long the driver retries after a transient error: well below the functions' time-out, 60 s.
 */
const defaultRetrySeconds = 15;

/**
 * Options for every `executeQuery`. With bookmarks, the driver would require a server that has
 * everything this process has seen. A server restored from a backup never does, so a warm process
 * would wait in vain. No query needs bookmarks: a decision based on a read is checked again under a
 * lock.
 */
export const noBookmarks = { bookmarkManager: null } as const;

/**
 * Creates a driver, which connects with the first query. Integers are `bigint`. The driver limits a
 * connection's age instead of its idle time, so a busy one is replaced too.
 *
 * @throws Fault `configuration-invalid` for an address that the driver does not accept.
 */
export function connectNeo4j(
  address: Neo4jAddress,
  { retrySeconds = defaultRetrySeconds, acquisitionSeconds = 10, idleMillis = idleLimitMillis } = {},
): Driver {
  const auth = address.username === '' ? undefined : neo4j.auth.basic(address.username, address.password);
  try {
    return neo4j.driver(address.uri, auth, {
      useBigInt: true,
      maxConnectionPoolSize: 10,
      maxConnectionLifetime: idleMillis,
      connectionTimeout: 5_000,
      connectionAcquisitionTimeout: acquisitionSeconds * 1_000,
      maxTransactionRetryTime: retrySeconds * 1000,
      userAgent: 'outgraph',
    });
  } catch (error) {
    throw new Fault(
      'configuration-invalid',
      'NEO4J_URI: the driver does not accept it. Check its host and port, and leave out what is after "?".',
      { cause: error },
    );
  }
}
