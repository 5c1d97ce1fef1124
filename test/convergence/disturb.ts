/**
 * Disturbs a delivery while it runs: cuts connections, terminates transactions on the server, and
 * writes to the graph as another client.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Driver } from 'neo4j-driver';
import type { Endpoint } from '../../lib/contract/subgraph.ts';
import type { ForeignData, ForeignRelationship } from '../../lib/testing/expected-graph.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';

/** Runs in the background until it is stopped. */
export interface Disturbance {
  readonly stop: () => Promise<void>;
}

/**
 * Numbers of bytes between two cuts of a connection, and milliseconds between two terminations of a
 * transaction.
 */
export interface FaultPlan {
  readonly cuts: readonly number[];
  readonly terminations: readonly number[];
}

const pollMillis = 5;

/** Injects the faults of a plan one after the other, into the connections through the proxy. */
export function makeFaults(plan: FaultPlan, proxy: TcpProxy, direct: Driver): Disturbance {
  let stopped = false;
  const cutting = async () => {
    for (const bytes of plan.cuts) {
      if (stopped) return;
      proxy.cutAfter(bytes);
      await sleep(4 * pollMillis);
    }
  };
  const terminating = async () => {
    for (const millis of plan.terminations) {
      await sleep(millis);
      if (stopped) return;
      await terminateOne(direct, proxy.clientAddresses());
    }
  };
  const running = Promise.all([cutting(), terminating()]);
  return {
    stop: async () => {
      stopped = true;
      proxy.clear();
      await running;
    },
  };
}

async function terminateOne(driver: Driver, clientAddresses: readonly string[]): Promise<void> {
  const { records } = await driver.executeQuery(
    `SHOW TRANSACTIONS YIELD transactionId, clientAddress WHERE clientAddress IN $clientAddresses
     RETURN transactionId LIMIT 1`,
    { clientAddresses },
  );
  const id = records[0]?.get('transactionId') as string | undefined;
  if (id !== undefined) await driver.executeQuery(`TERMINATE TRANSACTION $id`, { id });
}

/** Creates foreign nodes and relationships in the graph. */
export async function createForeign(driver: Driver, foreign: ForeignData): Promise<void> {
  for (const { label, key, labels, properties } of foreign.nodes) {
    await driver.executeQuery(`CREATE (n:${[label, ...labels].join(':')}) SET n = $all`, {
      all: { ...key, ...properties },
    });
  }
  for (const relationship of foreign.relationships) await attach(driver, relationship);
}

/**
 * Attaches foreign relationships to nodes that exist at that moment. `made` lists the ones created.
 */
export function attachForeign(
  driver: Driver,
  relationships: readonly ForeignRelationship[],
): Disturbance & { readonly made: readonly ForeignRelationship[] } {
  const made: ForeignRelationship[] = [];
  let stopped = false;
  const attaching = async () => {
    for (const relationship of relationships) {
      // Waits for the node to exist: most nodes are created and removed many times in a history.
      while (!stopped) {
        if (await attach(driver, relationship)) {
          made.push(relationship);
          break;
        }
        await sleep(pollMillis);
      }
    }
  };
  const running = attaching();
  return {
    made,
    stop: async () => {
      stopped = true;
      await running;
    },
  };
}

/** Returns false if an end does not exist or was removed in between. */
async function attach(driver: Driver, { type, from, to, properties }: ForeignRelationship): Promise<boolean> {
  const statement = `MATCH (a:${from.label} ${pattern(from, 'from')}), (b:${to.label} ${pattern(to, 'to')})
    CREATE (a)-[r:${type}]->(b) SET r = $properties RETURN 1`;
  const session = driver.session();
  try {
    const result = await session.run(statement, { from: from.key, to: to.key, properties });
    return result.records.length > 0;
  } catch {
    return false;
  } finally {
    await session.close();
  }
}

function pattern(end: Endpoint, parameter: string): string {
  return `{${Object.keys(end.key)
    .map((property) => `${property}: $${parameter}.${property}`)
    .join(', ')}}`;
}
