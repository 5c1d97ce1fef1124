/**
 * What disturbs a delivery while it runs: connections that are cut, transactions that the server ends, and someone else
 * who writes to the graph.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Driver } from 'neo4j-driver';
import type { Endpoint } from '../../lib/contract/subgraph.ts';
import type { ForeignData, ForeignRelationship } from '../support/model/expected-graph.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';

/** Runs in the background until it is stopped. */
export interface Disturbance {
  readonly stop: () => Promise<void>;
}

/**
 * Bytes that pass between one cut of a connection and the next; and milliseconds between transactions that the server
 * ends.
 */
export interface FaultPlan {
  readonly cuts: readonly number[];
  readonly terminations: readonly number[];
}

const pollMillis = 5;

/** Makes the faults of a plan, one after the other, on the connections that go through the proxy. */
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
    'SHOW TRANSACTIONS YIELD transactionId, clientAddress WHERE clientAddress IN $clientAddresses RETURN transactionId LIMIT 1',
    { clientAddresses },
  );
  const id = records[0]?.get('transactionId') as string | undefined;
  if (id !== undefined) await driver.executeQuery(`TERMINATE TRANSACTION $id`, { id });
}

/** Puts foreign nodes and relationships into the graph. */
export async function createForeign(driver: Driver, foreign: ForeignData): Promise<void> {
  for (const { label, key, labels, properties } of foreign.nodes) {
    await driver.executeQuery(`CREATE (n:${[label, ...labels].join(':')}) SET n = $all`, {
      all: { ...key, ...properties },
    });
  }
  for (const relationship of foreign.relationships) await attach(driver, relationship);
}

/** Attaches foreign relationships to whatever stands there at the moment; `made` says which. */
export function attachForeign(
  driver: Driver,
  relationships: readonly ForeignRelationship[],
): Disturbance & { readonly made: readonly ForeignRelationship[] } {
  const made: ForeignRelationship[] = [];
  let stopped = false;
  const attaching = async () => {
    for (const relationship of relationships) {
      // Until the node is there: most are made and removed many times in a history.
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

/** False if an end is not there, or was removed in between. */
async function attach(driver: Driver, { type, from, to, properties }: ForeignRelationship): Promise<boolean> {
  const statement = `MATCH (a:${from.label} ${pattern(from, 'from')}), (b:${to.label} ${pattern(to, 'to')}) CREATE (a)-[r:${type}]->(b) SET r = $properties RETURN 1`;
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
