/** Finds the owner of a value that a constraint of the user requires to be unique. */
import type { Driver } from 'neo4j-driver';
import type { AggregateState } from './aggregate-state.ts';
import type { Conflict } from './conflict.ts';
import { uniqueViolation } from './neo4j-errors.ts';
import { read } from './neo4j-read.ts';
import { toParameters } from './neo4j-to-parameter.ts';

/**
 * Translates an error of one state's transaction into a conflict; null for any other error. The
 * holder is unknown if the value belongs to a relationship, or to a node that outgraph does not
 * own.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export async function findValueConflict(
  driver: Driver,
  database: string,
  { key, subgraph }: AggregateState,
  error: unknown,
): Promise<Conflict | null> {
  const violation = uniqueViolation(error);
  if (violation === null) return null;
  const { label, properties } = violation;
  const conflict: Conflict = {
    code: 'constraint-violation',
    refused: key,
    holder: null,
    sharedNode: null,
    element: `${label}, ${properties.join(', ')}`,
    heldInGraph: true,
  };
  for (const node of subgraph?.nodes ?? []) {
    if (node.label !== label && !node.labels.includes(label)) continue;
    const all = toParameters({ ...node.key, ...node.properties });
    if (properties.some((name) => all[name] === undefined)) continue;
    const same = properties.map((name) => `n.\`${name}\` = $all.\`${name}\``).join(' AND ');
    const statement =
      `MATCH (n:\`${label}\`) WHERE ${same || 'false'} AND n._outgraphOwner <> $key ` +
      'RETURN n._outgraphOwner AS owner LIMIT 1';
    const [found] = await read<{ owner: string }>(driver, database, statement, { all, key });
    if (found !== undefined) return { ...conflict, holder: found.owner };
  }
  return conflict;
}
