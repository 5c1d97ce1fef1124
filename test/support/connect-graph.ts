/** Connects to the Neo4j of a running stack. */
import type { Driver } from 'neo4j-driver';
import { connectNeo4j, type Neo4jAddress } from '../../lib/graph/neo4j-connect.ts';
import type { ServersDescription } from '../../tools/local/stack.ts';

type GraphOfStack = Pick<ServersDescription, 'neo4jUri' | 'neo4jUsername' | 'neo4jPassword'>;

/** Opens a driver as outgraph does. Close it after use. */
export function connectGraph(stack: GraphOfStack): Driver {
  return connectNeo4j(graphAddress(stack));
}

/** The address of the stack's Neo4j. */
export function graphAddress({ neo4jUri, neo4jUsername, neo4jPassword }: GraphOfStack): Neo4jAddress {
  return { uri: neo4jUri, username: neo4jUsername ?? '', password: neo4jPassword ?? '' };
}
