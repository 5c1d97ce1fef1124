/** Finds the user's indexes that block a constraint on the same label and properties. */
import type { Driver } from 'neo4j-driver';
import type { GraphNeeds } from './graph-needs.ts';
import { read } from './neo4j-read.ts';

/** An index that backs no constraint, on the properties that need one. */
export interface Obstacle {
  readonly label: string;
  readonly index: string;
  /** Drops the index, for a person to run. The constraint creates its own index. */
  readonly statement: string;
}

// Only a RANGE index blocks a constraint; indexes of other kinds may be on the same properties.
const statement = `
SHOW INDEXES YIELD name, type, entityType, labelsOrTypes, properties, owningConstraint
WHERE owningConstraint IS NULL AND type = 'RANGE' AND entityType = 'NODE' AND size(labelsOrTypes) = 1
RETURN name, labelsOrTypes[0] AS label, properties ORDER BY name`;

/** @throws Fault `neo4j-unavailable`, `permission-denied`. */
export async function findObstacles(
  driver: Driver,
  database: string,
  { labels }: Pick<GraphNeeds, 'labels'>,
): Promise<readonly Obstacle[]> {
  const rows = await read<{ name: string; label: string; properties: readonly string[] }>(
    driver,
    database,
    statement,
    {},
  );
  return rows
    .filter(({ label, properties }) => [...properties].sort().join() === labels.get(label)?.join())
    .map(({ name, label }) => ({ label, index: name, statement: `DROP INDEX \`${name.replaceAll('`', '``')}\`` }));
}

/** One sentence about all of them; empty if there is none. */
export function obstaclesText(obstacles: readonly Obstacle[]): string {
  if (obstacles.length === 0) return '';
  const words = obstacles.map(({ label, index }) => `the index ${index} on ${label}`).join(', ');
  const statements = obstacles.map((one) => `${one.statement};`).join(' ');
  return (
    ` Blocked by ${words}. Drop it, then run the set-up again ` +
    `(the constraint creates its own index): ${statements}`
  );
}
