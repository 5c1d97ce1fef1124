/** Connects to the Neo4j of a running stack. */
import type { Driver } from 'neo4j-driver';
import type { StackDescription } from '../infra/local/stack.ts';
import { connectNeo4j } from '../lib/neo4j/connect.ts';

/** A driver as outgraph itself opens it; close it after use. */
export function connectGraph(stack: StackDescription): Driver {
  return connectNeo4j({
    uri: stack.neo4jUri,
    username: stack.neo4jUsername ?? '',
    password: stack.neo4jPassword ?? '',
  });
}
