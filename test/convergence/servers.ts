/** Opens the connections that the convergence property needs on a running Neo4j. */
import { randomBytes } from 'node:crypto';
import { connectNeo4j, type Neo4jAddress } from '../../lib/graph/neo4j-connect.ts';
import { setUpGraph } from '../../lib/set-up/neo4j-graph.ts';
import { catalog } from '../../xmem/catalog.ts';
import { testOutboxId } from '../support/outbox-id.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { type ConvergenceServers, clearUniverse } from './property.ts';
import { type Universe, uniqueLabel, uniqueProperty } from './random-history.ts';

/** The servers, a universe of its own, and a function that cleans it up. */
export interface Convergence {
  readonly servers: ConvergenceServers;
  readonly universe: Universe;
  readonly close: () => Promise<void>;
}

/** Sets up the graph and a universe of six aggregates. */
export async function openConvergence(address: Neo4jAddress, database: string): Promise<Convergence> {
  const direct = connectNeo4j(address);
  await setUpGraph(direct, database, catalog, testOutboxId);
  const proxy = await TcpProxy.start(Number(new URL(address.uri).port));
  const throughProxy = connectNeo4j({ ...address, uri: `bolt://127.0.0.1:${proxy.port}` }, { retrySeconds: 0 });
  const universe = { suffix: `T${randomBytes(4).toString('hex')}`, aggregates: 6 };
  const constraint = `unique_${universe.suffix}`;
  await direct.executeQuery(
    `CREATE CONSTRAINT ${constraint} FOR (n:${uniqueLabel(universe)}) REQUIRE n.${uniqueProperty} IS UNIQUE`,
  );
  return {
    servers: { direct, throughProxy, proxy, database },
    universe,
    close: async () => {
      await throughProxy.close();
      await proxy.close();
      await clearUniverse(direct, universe);
      await direct.executeQuery(`DROP CONSTRAINT ${constraint} IF EXISTS`);
      await direct.close();
    },
  };
}
