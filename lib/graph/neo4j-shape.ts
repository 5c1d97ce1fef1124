/**
 * Statements depend on the shape of a node (label and names of its key), never on its data: Neo4j plans each of them
 * once.
 */
import type { Endpoint } from '../contract/subgraph.ts';

/** What nodes that one statement can write have in common. */
export interface Shape {
  readonly label: string;
  /** The names of the key properties, sorted. */
  readonly names: readonly string[];
}

/** The items by the shape of their endpoint, in one order for all transactions. */
export function groupByShape<Item>(
  items: readonly Item[],
  endpointOf: (item: Item) => Endpoint,
): readonly (readonly [Shape, readonly Item[]])[] {
  const groups = Map.groupBy(items, (item) => shapeName(endpointOf(item)));
  return [...groups]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([, members]) => [shapeOf(endpointOf(members[0] as Item)), members]);
}

/** The shape of a node. */
export function shapeOf({ label, key }: Endpoint): Shape {
  return { label, names: Object.keys(key) };
}

/** The same text for nodes of the same shape. */
export function shapeName({ label, key }: Endpoint): string {
  return [label, ...Object.keys(key)].join();
}

/** The pattern of a node of this shape: its label, and its key with values from the list that `values` is in Cypher. */
export function nodePattern(variable: string, { label, names }: Shape, values: string): string {
  return `(${variable}:\`${label}\` {${names.map((name, index) => `\`${name}\`: ${values}[${index}]`).join(', ')}})`;
}
