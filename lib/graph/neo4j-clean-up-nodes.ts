/**
 * Deletes unused nodes: those that no aggregate lists and no relationship ends on. It runs last in
 * a transaction, after all releases and creations.
 */
import type { ManagedTransaction } from 'neo4j-driver';
import { runStatement } from './neo4j-run-statement.ts';

// Lock all of them before reading anything: another transaction that still sees our relationship
// may be releasing a node that looks owned.
const lockStatement = 'UNWIND $ids AS id MATCH (n) WHERE elementId(n) = id SET n._outgraphLock = true';

// Never DETACH: if another transaction adds a relationship before the commit, Neo4j refuses the
// deletion and the transaction is retried.
const deleteStatement = `
UNWIND $ids AS id
MATCH (n) WHERE elementId(n) = id
WITH n, n._outgraph IS NOT NULL AND n._outgraphOwner IS NULL AND n._outgraphShares IS NULL
  AND NOT EXISTS { (n)--() } AS free
FOREACH (_ IN CASE WHEN free THEN [] ELSE [1] END | REMOVE n._outgraphLock)
FOREACH (_ IN CASE WHEN free THEN [1] ELSE [] END | DELETE n)`;

/** Locks the candidates, then deletes outgraph's unlisted nodes without relationships. */
export async function cleanUpNodes(tx: ManagedTransaction, candidates: ReadonlySet<string>): Promise<void> {
  if (candidates.size === 0) return;
  const ids = [...candidates].sort();
  await runStatement(tx, lockStatement, { ids });
  await runStatement(tx, deleteStatement, { ids });
}
