/** Stops a command from waiting forever for a server that connects but does not answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Driver } from 'neo4j-driver';
import pTimeout from 'p-timeout';
import { Fault } from '../contract/fault.ts';
import type { GraphAddress } from '../runtime/addresses.ts';
import { connectNeo4j } from './neo4j-connect.ts';
import { pingNeo4j } from './neo4j-ping.ts';

/** Together these limits end a command within half a minute, including its start. */
const pingEveryMillis = 4_000;
const silenceMillis = 14_000;
const closeMillis = 2_000;

/**
 * Runs `work`, and pings the server every few seconds, because the driver waits for an answer while
 * its connection is open. A long statement on a working server is not interrupted. If the server is
 * silent, `work` is abandoned.
 *
 * @throws Fault `neo4j-unavailable` if the server does not answer the ping; any error of `work`.
 * @example
 * const view = () => viewAggregate(databases, definition, id, search);
 * const viewed = await unlessSilent(settings, view);
 */
export async function unlessSilent<Result>(graph: GraphAddress, work: () => Promise<Result>): Promise<Result> {
  const done = new AbortController();
  try {
    return await Promise.race([work(), untilSilent(graph, done.signal)]);
  } finally {
    done.abort();
  }
}

async function untilSilent(graph: GraphAddress, signal: AbortSignal): Promise<never> {
  const { NEO4J_URI: uri, NEO4J_USERNAME: username, NEO4J_PASSWORD: password } = graph;
  // Rejects when the work is done; nothing awaits this promise then. A short command needs no ping.
  await sleep(pingEveryMillis, undefined, { signal });
  // Use separate connections, because the work may use all of its pool. The wait for a connection
  // must not end before the ping's.
  const driver = connectNeo4j(
    { uri, username, password },
    { retrySeconds: 0, acquisitionSeconds: silenceMillis / 500 },
  );
  try {
    for (;;) {
      await requireAnswer(driver, graph.NEO4J_DATABASE);
      await sleep(pingEveryMillis, undefined, { signal });
    }
  } finally {
    void closeInTime(driver);
  }
}

async function requireAnswer(driver: Driver, database: string): Promise<void> {
  // An error is an answer too. The work meets it as well, and may retry it.
  const ping = pingNeo4j(driver, database).catch(() => undefined);
  await pTimeout(ping, {
    milliseconds: silenceMillis,
    message: new Fault(
      'neo4j-unavailable',
      `Neo4j accepts connections but has not answered for ${silenceMillis / 1_000} seconds. ` +
        'Check that the server is not paused or overloaded, then run the command again.',
    ),
  });
}

/** Closes a connection without waiting for a server that does not answer. */
export async function closeInTime(connection: { close(): Promise<void> }): Promise<void> {
  await pTimeout(connection.close(), { milliseconds: closeMillis, fallback: () => undefined }).catch(() => undefined);
}
