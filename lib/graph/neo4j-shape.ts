/**
 * Statements depend on a node's shape (its label and the names of its key), never on its data, so
 * that Neo4j plans each statement once.
 */
import type { Endpoint } from '../contract/subgraph.ts';

/** The common shape of the nodes in one statement. */
export interface Shape {
  readonly label: string;
  /** The names of the key properties, sorted. */
  readonly names: readonly string[];
}

/** Groups the items by the shape of their endpoint, in the same order in all transactions. */
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

/** A text that is equal for nodes of the same shape. */
export function shapeName({ label, key }: Endpoint): string {
  return [label, ...Object.keys(key)].join();
}

/**
 * The pattern of a node of this shape: its label and key. `values` is the Cypher expression of the
 * list of key values.
 */
export function nodePattern(variable: string, { label, names }: Shape, values: string): string {
  return `(${variable}:\`${label}\` {${names.map((name, index) => `\`${name}\`: ${values}[${index}]`).join(', ')}})`;
}
