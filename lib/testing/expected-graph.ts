/**
 * The contract as a pure function: from the events of all aggregates and the data of others to the
 * expected graph, without bookkeeping. It is written so that a reader can compare it with
 * docs/reference/contract.md, and it shares no code with the apply.
 */
import type { Position } from '../contract/position.ts';
import type { Endpoint, GraphProperties, Subgraph, SubgraphRelationship } from '../contract/subgraph.ts';

/** The state that one event carries. */
export interface ModelEvent {
  readonly key: string;
  readonly position: Position;
  readonly subgraph: Subgraph | null;
  /**
   * The event can never be applied: its projection refuses it, or it was written without the
   * validator. For the graph it does not exist.
   */
  readonly fault?: 'refused' | 'invalid';
}

/** Canonical texts: two graphs are equal if both sets are equal. */
export interface GraphPicture {
  readonly nodes: ReadonlySet<string>;
  /** One text for each relationship. Equal parallel ones are numbered. */
  readonly relationships: ReadonlySet<string>;
}

/** Data in the graph that others than outgraph have written. */
export interface ForeignData {
  readonly nodes: readonly ForeignNode[];
  readonly relationships: readonly ForeignRelationship[];
}

/** A node that existed before. Its label and key may be those of a node that an aggregate names. */
export interface ForeignNode extends Endpoint {
  readonly labels: readonly string[];
  readonly properties: GraphProperties;
}

export interface ForeignRelationship {
  readonly type: string;
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly properties: GraphProperties;
}

const nothingForeign: ForeignData = { nodes: [], relationships: [] };

/**
 * The expected graph for the newest event of each aggregate, with foreign data. No two of these
 * events may claim the same node.
 */
export function expectedGraph(events: readonly ModelEvent[], foreign: ForeignData = nothingForeign): GraphPicture {
  const live = newestEvents(events).flatMap((event) => event.subgraph ?? []);

  const nodes = new Map<string, string>();
  for (const { from, to } of [...live.flatMap((subgraph) => subgraph.relationships), ...foreign.relationships]) {
    for (const end of [from, to]) nodes.set(name(end), nodeText(end, [], {}));
  }
  for (const node of foreign.nodes) nodes.set(name(node), nodeText(node, node.labels, node.properties));
  for (const subgraph of live) {
    for (const node of subgraph.nodes) nodes.set(name(node), nodeText(node, node.labels, node.properties));
  }

  const shared = new Set<string>();
  const relationships = foreign.relationships.map(({ type, from, to, properties }) =>
    relationshipText(type, name(from), name(to), properties),
  );
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

/**
 * The event with the greatest position of each aggregate, without events that can never be applied.
 */
export function newestEvents(events: readonly ModelEvent[]): readonly ModelEvent[] {
  const newest = new Map<string, ModelEvent>();
  for (const event of events.filter(({ fault }) => fault === undefined)) {
    const known = newest.get(event.key);
    if (known === undefined || event.position > known.position) newest.set(event.key, event);
  }
  return [...newest.values()];
}

/** The text of a node in a picture. */
export function nodeText(end: Endpoint, labels: readonly string[], properties: GraphProperties): string {
  return `(${[end.label, ...labels].sort().join(':')} ${mapText({ ...end.key, ...properties })})`;
}

/** The text of a relationship in a picture, with its endpoints by label and key. */
export function relationshipText(type: string, from: string, to: string, properties: GraphProperties): string {
  return `${from}-[${type} ${mapText(properties)}]->${to}`;
}

/** A node by its label and key. */
export function name(end: Endpoint): string {
  return `(${end.label} ${mapText(end.key)})`;
}

/** Numbers equal texts, so that a set preserves how many there are. */
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
  if (typeof value === 'object' && value !== null) return `point ${Object.values(value).join(' ')}`;
  return JSON.stringify(value);
}
