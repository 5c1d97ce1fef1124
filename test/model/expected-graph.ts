/**
 * The contract as a pure function: from the events of all aggregates to the graph that must stand, apart from bookkeeping and foreign data. Written to be
 * checked by eye against docs/contract.md; it shares no code with the apply.
 */
import type { Position } from '../../lib/contract/position.ts';
import type { Endpoint, GraphProperties, Subgraph, SubgraphRelationship } from '../../lib/contract/subgraph.ts';

/** The state that one event carries. */
export interface ModelEvent {
  readonly key: string;
  readonly position: Position;
  readonly subgraph: Subgraph | null;
}

/** Canonical texts: two graphs are equal if both sets are. */
export interface GraphPicture {
  readonly nodes: ReadonlySet<string>;
  /** One text for each relationship; parallel equal ones are numbered. */
  readonly relationships: ReadonlySet<string>;
}

/** The graph that the newest event of each aggregate demands. */
export function expectedGraph(events: readonly ModelEvent[]): GraphPicture {
  const newest = new Map<string, ModelEvent>();
  for (const event of events) {
    const known = newest.get(event.key);
    if (known === undefined || event.position > known.position) newest.set(event.key, event);
  }
  const live = [...newest.values()].flatMap((event) => event.subgraph ?? []);

  const nodes = new Map<string, string>();
  for (const { relationships } of live) {
    for (const { from, to } of relationships) for (const end of [from, to]) nodes.set(name(end), nodeText(end, [], {}));
  }
  for (const subgraph of live) {
    for (const node of subgraph.nodes) nodes.set(name(node), nodeText(node, node.labels, node.properties));
  }

  const shared = new Set<string>();
  const relationships: string[] = [];
  for (const relationship of live.flatMap((subgraph) => subgraph.relationships)) {
    const text = relationshipText(
      relationship.type,
      name(relationship.from),
      name(relationship.to),
      relationship.properties,
    );
    if (!relationship.shared) relationships.push(text);
    else if (!shared.has(sharedName(relationship))) relationships.push(text);
    if (relationship.shared) shared.add(sharedName(relationship));
  }
  return { nodes: numberEqual([...nodes.values()]), relationships: numberEqual(relationships) };
}

/** The text of a node in a picture. */
export function nodeText(end: Endpoint, labels: readonly string[], properties: GraphProperties): string {
  return `(${[end.label, ...labels].sort().join(':')} ${mapText({ ...end.key, ...properties })})`;
}

/** The text of a relationship in a picture; its ends by label and key. */
export function relationshipText(type: string, from: string, to: string, properties: GraphProperties): string {
  return `${from}-[${type} ${mapText(properties)}]->${to}`;
}

/** A node by its label and key. */
export function name(end: Endpoint): string {
  return `(${end.label} ${mapText(end.key)})`;
}

/** Equal texts get numbers, so that a set still tells how many there are. */
export function numberEqual(texts: readonly string[]): ReadonlySet<string> {
  const counts = new Map<string, number>();
  return new Set(
    texts.map((text) => {
      const count = (counts.get(text) ?? 0) + 1;
      counts.set(text, count);
      return `${text} #${count}`;
    }),
  );
}

function sharedName(relationship: SubgraphRelationship): string {
  return JSON.stringify([relationship.type, name(relationship.from), name(relationship.to), relationship.key]);
}

function mapText(map: GraphProperties): string {
  const entries = Object.keys(map)
    .sort()
    .map((property) => `${property}: ${valueText(map[property])}`);
  return `{${entries.join(', ')}}`;
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`;
  if (typeof value === 'bigint') return `${value}`;
  if (typeof value === 'number') return `float ${Object.is(value, -0) ? '-0' : value}`;
  if (value instanceof Date) return `datetime ${value.toISOString()}`;
  return JSON.stringify(value);
}
