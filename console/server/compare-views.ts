/**
 * Combines an aggregate's two subgraphs: which elements are on which side, and how they differ.
 * Pure.
 */
import type { AggregateView, NodeView, RelationshipView } from '../../cli/show/aggregate-view.ts';
import { valueText } from '../../cli/show/element-text.ts';
import { readNodeIdentity } from '../../lib/contract/identity.ts';
import type { GraphValue, KeyValue } from '../../lib/contract/subgraph.ts';
import type { Fact, Mark, PictureNode, PictureRelationship } from '../messages.ts';

/** Longer keys do not fit into a picture. */
const keyChars = 26;

/** Has no coordinates: the layout adds them. */
export type ComparedNode = Omit<PictureNode, 'x' | 'y' | 'width' | 'height'>;
export type ComparedRelationship = Omit<PictureRelationship, 'points' | 'at'> & {
  readonly from: string;
  readonly to: string;
};

export interface Compared {
  readonly nodes: readonly ComparedNode[];
  readonly relationships: readonly ComparedRelationship[];
}

interface Pair<View> {
  readonly document: View | null;
  readonly graph: View | null;
}

/** Each element once, with the elements of the document first. */
export function compareViews({ expected, standing, fault, search }: AggregateView): Compared {
  const isKnown = fault === null && search !== 'not-found';
  const nodes = pair(expected?.nodes ?? [], standing.nodes, ({ identity }) => identity);
  const relationships = pair(expected?.relationships ?? [], standing.relationships, ({ id }) => id);
  return {
    nodes: shortenKeys([...nodes].map(([id, sides]) => compareNode(id, sides, isKnown))),
    relationships: [...relationships].map(([id, sides]) => compareRelationship(id, sides, isKnown)),
  };
}

function pair<View>(
  document: readonly View[],
  graph: readonly View[],
  nameOf: (view: View) => string,
): ReadonlyMap<string, Pair<View>> {
  const pairs = new Map<string, Pair<View>>(document.map((view) => [nameOf(view), { document: view, graph: null }]));
  for (const view of graph)
    pairs.set(nameOf(view), { document: pairs.get(nameOf(view))?.document ?? null, graph: view });
  return pairs;
}

function compareNode(id: string, sides: Pair<NodeView>, isKnown: boolean): ComparedNode {
  const { document, graph } = sides;
  const { label, key } = readName(id);
  const hold = document?.hold ?? graph?.hold ?? 'owned';
  const labelsOf = (view: NodeView | null) =>
    view === null
      ? null
      : view.labels
          .filter((one) => one !== label)
          .toSorted()
          .join(', ') || null;
  const labels = { name: 'further labels', document: labelsOf(document), graph: labelsOf(graph) };
  const hasLabels = labels.document !== null || labels.graph !== null;
  const facts = [...(hasLabels ? [labels] : []), ...compareProperties(document?.properties, graph?.properties, key)];
  return {
    id,
    name: nodeName(id),
    label,
    key: keyText(Object.values(key)),
    hold,
    // Other aggregates may determine the content of a node that this one does not own.
    mark: markOf(sides, hold === 'owned' ? facts : [], isKnown),
    inDocument: document !== null,
    inGraph: graph !== null,
    facts,
  };
}

function compareRelationship(id: string, sides: Pair<RelationshipView>, isKnown: boolean): ComparedRelationship {
  const view = (sides.document ?? sides.graph) as RelationshipView;
  const facts = [...compareEnds(sides), ...compareProperties(sides.document?.properties, sides.graph?.properties)];
  return {
    id,
    name: `${nodeName(view.from)} —${view.type}→ ${nodeName(view.to)}`,
    type: view.type,
    from: view.from,
    to: view.to,
    mark: markOf(sides, facts, isKnown),
    inDocument: sides.document !== null,
    inGraph: sides.graph !== null,
    facts,
  };
}

/** Another program may have created the relationship between different nodes. */
function compareEnds({ document, graph }: Pair<RelationshipView>): readonly Fact[] {
  if (document === null || graph === null) return [];
  return (['from', 'to'] as const)
    .filter((end) => document[end] !== graph[end])
    .map((end) => ({ name: end, document: nodeName(document[end]), graph: nodeName(graph[end]) }));
}

function markOf({ document, graph }: Pair<unknown>, facts: readonly Fact[], isKnown: boolean): Mark {
  if (!isKnown) return 'unknown';
  if (graph === null) return 'missing';
  if (document === null) return 'extra';
  return facts.some((fact) => fact.document !== fact.graph) ? 'changed' : 'same';
}

type Properties = Readonly<Record<string, GraphValue>>;

/** @param key these properties are already in the element's name. */
function compareProperties(
  document: Properties | undefined,
  graph: Properties | undefined,
  key: Properties = {},
): readonly Fact[] {
  const all = new Set([...Object.keys(document ?? {}), ...Object.keys(graph ?? {})]);
  const names = [...all].filter((name) => !(name in key)).sort();
  return names.map((name) => ({ name, document: textOf(document?.[name]), graph: textOf(graph?.[name]) }));
}

/**
 * Keeps only the key properties that distinguish the nodes of one label, because long keys are cut.
 */
function shortenKeys(nodes: readonly ComparedNode[]): readonly ComparedNode[] {
  const byLabel = Map.groupBy(nodes, ({ label }) => label);
  return nodes.map((node) => {
    const { key } = readName(node.id);
    const keys = byLabel.get(node.label)?.map(({ id }) => readName(id).key) ?? [];
    const distinguishing = Object.keys(key).filter((name) => keys.some((other) => other[name] !== key[name]));
    const values = distinguishing.flatMap((name) => key[name] ?? []);
    return values.length === 0 ? node : { ...node, key: keyText(values) };
  });
}

/**
 * The values without their names, shortened for the picture. A single value is cut in the middle,
 * because the end of a path or an id is the most specific part.
 */
function keyText(values: readonly KeyValue[]): string {
  const text = values.join(' · ');
  if (text.length <= keyChars) return text;
  return values.length === 1 ? `${text.slice(0, 9)}…${text.slice(10 - keyChars)}` : `${text.slice(0, keyChars - 1)}…`;
}

/**
 * The label and key of a node's identity. A node that has lost either in the graph has another
 * name, which is used unchanged.
 */
function readName(identity: string): { readonly label: string; readonly key: Readonly<Record<string, KeyValue>> } {
  return identity.startsWith('[') ? readNodeIdentity(identity) : { label: identity, key: {} };
}

/** `Event event_id=17`. */
export function nodeName(identity: string): string {
  const { label, key } = readName(identity);
  return [label, ...Object.entries(key).map(([name, value]) => `${name}=${value}`)].join(' ');
}

function textOf(value: GraphValue | undefined): string | null {
  return value === undefined ? null : valueText(value);
}
