/** Lays out an aggregate's elements from left to right along its relationships. Pure. */
import { Graph, layout } from '@dagrejs/dagre';
import type { Picture, PictureNode, PictureRelationship, Point } from '../messages.ts';
import type { Compared, ComparedNode, ComparedRelationship } from './compare-views.ts';

/** More would be unreadable. The table of differences lists all of them. */
const drawnNodes = 60;
const drawnRelationships = 120;

const node = { charWidth: 7.4, padding: 28, minWidth: 90, height: 48 } as const;
const relationship = { charWidth: 6.2, padding: 10, height: 18 } as const;

/** @param limits the most elements to draw. */
export function drawPicture(
  compared: Compared,
  limits = { nodes: drawnNodes, relationships: drawnRelationships },
): Picture {
  const chosen = choose(compared, limits);
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'LR', nodesep: 20, edgesep: 12, ranksep: 26, marginx: 12, marginy: 12 });
  for (const one of chosen.nodes) graph.setNode(one.id, { width: widthOf(one), height: node.height });
  for (const { id, type, from, to } of chosen.relationships) {
    const width = type.length * relationship.charWidth + relationship.padding;
    graph.setEdge(from, to, { width, height: relationship.height, labelpos: 'c' }, id);
  }
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  const drawn = chosen.nodes.length + chosen.relationships.length;
  return {
    width: finite(width),
    height: finite(height),
    nodes: chosen.nodes.map((one): PictureNode => ({ ...one, ...placeOf(graph.node(one.id)) })),
    relationships: chosen.relationships.map((one): PictureRelationship => {
      const edge = graph.edge(one.from, one.to, one.id);
      const points = (edge.points ?? []).map(({ x, y }: Point) => ({ x: Math.round(x), y: Math.round(y) }));
      const { from: _from, to: _to, ...rest } = one;
      return { ...rest, points, at: { x: Math.round(edge.x ?? 0), y: Math.round(edge.y ?? 0) } };
    }),
    leftOut: compared.nodes.length + compared.relationships.length - drawn,
  };
}

/**
 * Prefers elements that differ, and the ends of relationships that differ. Keeps the order, so that
 * the layout is stable.
 */
function choose(
  { nodes, relationships }: Compared,
  limits: { readonly nodes: number; readonly relationships: number },
) {
  const differs = ({ mark }: ComparedNode | ComparedRelationship) => mark !== 'same';
  const needed = new Set(relationships.filter(differs).flatMap(({ from, to }) => [from, to]));
  const rank = (one: ComparedNode) => (differs(one) ? 0 : needed.has(one.id) ? 1 : 2);
  const chosenNodes = first(nodes, limits.nodes, rank);
  const ids = new Set(chosenNodes.map(({ id }) => id));
  const between = relationships.filter(({ from, to }) => ids.has(from) && ids.has(to));
  const chosen = first(between, limits.relationships, (one) => (differs(one) ? 0 : 1));
  return { nodes: chosenNodes, relationships: chosen };
}

/** The elements of the lowest rank, in their original order. */
function first<One>(all: readonly One[], limit: number, rank: (one: One) => number): readonly One[] {
  const chosen = new Set(all.toSorted((a, b) => rank(a) - rank(b)).slice(0, limit));
  return all.filter((one) => chosen.has(one));
}

function widthOf({ label, key }: ComparedNode): number {
  const chars = Math.max(label.length, key.length);
  return Math.max(node.minWidth, Math.ceil(chars * node.charWidth) + node.padding);
}

function placeOf({ x = 0, y = 0, width = 0, height = 0 }: Partial<PictureNode>) {
  return { x: Math.round(x), y: Math.round(y), width, height };
}

/** An empty graph has no size. */
function finite(value: number): number {
  return Number.isFinite(value) ? Math.ceil(value) : 0;
}
