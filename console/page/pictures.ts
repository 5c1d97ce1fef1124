/**
 * The subgraphs of the document and of the graph side by side, with every element in the same place. An element of only
 * the other side is drawn as an outline.
 */
import { type ComponentChild, h } from 'preact';
import { useRef } from 'preact/hooks';
import type { Picture, PictureNode, PictureRelationship, Sent } from '../messages.ts';
import { counted } from './format.ts';
import { differingMarks, marks } from './marks.ts';

type Side = 'document' | 'graph';

const titles: Readonly<Record<Side, string>> = { document: 'In the document', graph: 'In the graph' };
/** A smaller picture would be unreadable: it scrolls instead. */
const leastScale = 0.75;

export function Pictures({ picture }: { readonly picture: Sent<Picture> }): ComponentChild {
  const places = useRef<Partial<Record<Side, HTMLElement>>>({});
  // Both scroll together.
  const follow = (from: Side, to: Side) => () => {
    const [moved, other] = [places.current[from], places.current[to]];
    if (moved === undefined || other === undefined) return;
    other.scrollLeft = moved.scrollLeft;
    other.scrollTop = moved.scrollTop;
  };
  const figure = (side: Side, other: Side) =>
    h(
      'figure',
      { class: 'picture' },
      h('figcaption', null, titles[side]),
      h(
        'div',
        {
          class: 'canvas',
          role: 'region',
          'aria-label': titles[side],
          tabIndex: 0,
          ref: (place: HTMLElement | null) => {
            if (place !== null) places.current[side] = place;
          },
          onScroll: follow(side, other),
        },
        h(Drawing, { picture, side }),
      ),
    );
  return h(
    'section',
    null,
    h('h2', null, 'Side by side'),
    h('div', { class: 'pictures' }, figure('document', 'graph'), figure('graph', 'document')),
    h(Legend, { picture }),
  );
}

function Legend({ picture: { leftOut, nodes } }: { readonly picture: Sent<Picture> }): ComponentChild {
  const holds = new Set(nodes.map(({ hold }) => hold));
  return h(
    'ul',
    { class: 'legend' },
    differingMarks.map((mark) =>
      h('li', { key: mark, class: `mark ${mark}` }, h('span', { class: 'sign' }, marks[mark].sign), marks[mark].words),
    ),
    holds.has('shared') && h('li', null, h('span', { class: 'key shared' }), 'shared with other aggregates'),
    holds.has('end') && h('li', null, h('span', { class: 'key end' }), 'only an end of a relationship'),
    leftOut > 0 && h('li', null, `${counted(leftOut, 'element')} not drawn; elements that differ are drawn first`),
  );
}

function Drawing({ picture, side }: { readonly picture: Sent<Picture>; readonly side: Side }): ComponentChild {
  const { width, height, nodes, relationships } = picture;
  const arrow = `arrow-${side}`;
  return h(
    'svg',
    {
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      style: { minWidth: `${Math.round(width * leastScale)}px` },
      role: 'img',
      'aria-label': inWords(picture, side),
    },
    h(
      'defs',
      null,
      h(
        'marker',
        { id: arrow, viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto' },
        h('path', { d: 'M0 0 L8 4 L0 8 z', class: 'arrow' }),
      ),
    ),
    relationships.map((one) => h(Relationship, { key: one.id, relationship: one, side, arrow })),
    nodes.map((one) => h(Node, { key: one.id, node: one, side })),
  );
}

interface RelationshipProps {
  readonly relationship: Sent<PictureRelationship>;
  readonly side: Side;
  readonly arrow: string;
}

function Relationship({ relationship, side, arrow }: RelationshipProps): ComponentChild {
  const { type, points, at, mark } = relationship;
  const isHere = side === 'document' ? relationship.inDocument : relationship.inGraph;
  const line = points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join(' ');
  const sign = marks[mark].sign;
  const text = sign === '' ? type : `${sign} ${type}`;
  return h(
    'g',
    { class: `relationship ${mark} ${isHere ? 'here' : 'absent'}` },
    h('title', null, tooltip(relationship)),
    h('path', { d: line, 'marker-end': `url(#${arrow})` }),
    h('text', { x: at.x, y: at.y + 4 }, text),
  );
}

function Node({ node, side }: { readonly node: Sent<PictureNode>; readonly side: Side }): ComponentChild {
  const { x, y, width, height, label, key, hold, mark } = node;
  const isHere = side === 'document' ? node.inDocument : node.inGraph;
  const { sign } = marks[mark];
  const [left, top] = [x - width / 2, y - height / 2];
  return h(
    'g',
    { class: `node ${hold} ${mark} ${isHere ? 'here' : 'absent'}` },
    h('title', null, tooltip(node)),
    h('rect', { x: left, y: top, width, height, rx: 8 }),
    h('text', { x: left + 12, y: top + 20, class: 'label' }, label),
    h('text', { x: left + 12, y: top + 37, class: 'key' }, key),
    sign !== '' && [
      h('circle', { key: 'circle', cx: left + width, cy: top, r: 10, class: 'badge' }),
      h('text', { key: 'sign', x: left + width, y: top + 5, class: 'badge-sign' }, sign),
    ],
  );
}

function tooltip({ name, mark, facts }: Sent<PictureNode> | Sent<PictureRelationship>): string {
  const lines = facts.map(({ name: fact, document, graph }) =>
    document === graph
      ? `${fact}: ${document}`
      : `${fact}: ${document ?? 'absent'} in the document, ${graph ?? 'absent'} in the graph`,
  );
  return [`${name}: ${marks[mark].words}`, ...lines].join('\n');
}

function inWords({ nodes, relationships }: Sent<Picture>, side: Side): string {
  const here = ({ inDocument, inGraph }: { readonly inDocument: boolean; readonly inGraph: boolean }) =>
    side === 'document' ? inDocument : inGraph;
  const [nodesHere, relationshipsHere] = [nodes.filter(here).length, relationships.filter(here).length];
  const elements = `${counted(nodesHere, 'node')} and ${counted(relationshipsHere, 'relationship')}`;
  return `${titles[side]}: ${elements}. The table below has each of them.`;
}
