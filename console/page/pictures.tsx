/**
 * Draws the subgraphs of the document and of the graph side by side, with every element in the same
 * place. An element that only the other side has is an outline.
 */
import type { ComponentChild } from 'preact';
import { useRef } from 'preact/hooks';
import type { Picture, PictureNode, PictureRelationship, Sent } from '../messages.ts';
import { counted } from './format.ts';
import { differingMarks, marks } from './marks.ts';

type Side = 'document' | 'graph';

const titles: Readonly<Record<Side, string>> = { document: 'In the document', graph: 'In the graph' };
/** A smaller picture would be unreadable, so it scrolls instead. */
const leastScale = 0.75;

export function Pictures({ picture }: { readonly picture: Sent<Picture> }): ComponentChild {
  const places = useRef<Partial<Record<Side, HTMLElement>>>({});
  // Both pictures scroll together.
  const follow = (from: Side, to: Side) => () => {
    const [moved, other] = [places.current[from], places.current[to]];
    if (moved === undefined || other === undefined) return;
    other.scrollLeft = moved.scrollLeft;
    other.scrollTop = moved.scrollTop;
  };
  const figure = (side: Side, other: Side) => (
    <figure class="picture">
      <figcaption>{titles[side]}</figcaption>
      {/* biome-ignore lint/a11y/useSemanticElements: only a box inside a section */}
      <div
        class="canvas"
        role="region"
        aria-label={titles[side]}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard
        tabIndex={0}
        ref={(place: HTMLElement | null) => {
          if (place !== null) places.current[side] = place;
        }}
        onScroll={follow(side, other)}
      >
        <Drawing picture={picture} side={side} />
      </div>
    </figure>
  );
  return (
    <section>
      <h2>Side by side</h2>
      <div class="pictures">
        {figure('document', 'graph')}
        {figure('graph', 'document')}
      </div>
      <Legend picture={picture} />
    </section>
  );
}

function Legend({ picture: { leftOut, nodes } }: { readonly picture: Sent<Picture> }): ComponentChild {
  const holds = new Set(nodes.map(({ hold }) => hold));
  return (
    <ul class="legend">
      {differingMarks.map((mark) => (
        <li key={mark} class={`mark ${mark}`}>
          <span class="sign">{marks[mark].sign}</span>
          {marks[mark].words}
        </li>
      ))}
      {holds.has('shared') && (
        <li>
          <span class="key shared" />
          shared with other aggregates
        </li>
      )}
      {holds.has('end') && (
        <li>
          <span class="key end" />
          only an end of a relationship
        </li>
      )}
      {leftOut > 0 && <li>{counted(leftOut, 'element')} not drawn; elements that differ are drawn first</li>}
    </ul>
  );
}

function Drawing({ picture, side }: { readonly picture: Sent<Picture>; readonly side: Side }): ComponentChild {
  const { width, height, nodes, relationships } = picture;
  const arrow = `arrow-${side}`;
  return (
    <svg
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      style={{ minWidth: `${Math.round(width * leastScale)}px` }}
      role="img"
      aria-label={inWords(picture, side)}
    >
      <defs>
        <marker id={arrow} viewBox="0 0 8 8" refX={7} refY={4} markerWidth={7} markerHeight={7} orient="auto">
          <path d="M0 0 L8 4 L0 8 z" class="arrow" />
        </marker>
      </defs>
      {relationships.map((one) => (
        <Relationship key={one.id} relationship={one} side={side} arrow={arrow} />
      ))}
      {nodes.map((one) => (
        <Node key={one.id} node={one} side={side} />
      ))}
    </svg>
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
  return (
    <g class={`relationship ${mark} ${isHere ? 'here' : 'absent'}`}>
      <title>{tooltip(relationship)}</title>
      <path d={line} marker-end={`url(#${arrow})`} />
      <text x={at.x} y={at.y + 4}>
        {sign === '' ? type : `${sign} ${type}`}
      </text>
    </g>
  );
}

function Node({ node, side }: { readonly node: Sent<PictureNode>; readonly side: Side }): ComponentChild {
  const { x, y, width, height, label, key, hold, mark } = node;
  const isHere = side === 'document' ? node.inDocument : node.inGraph;
  const { sign } = marks[mark];
  const [left, top] = [x - width / 2, y - height / 2];
  return (
    <g class={`node ${hold} ${mark} ${isHere ? 'here' : 'absent'}`}>
      <title>{tooltip(node)}</title>
      <rect x={left} y={top} width={width} height={height} rx={8} />
      <text x={left + 12} y={top + 20} class="label">
        {label}
      </text>
      <text x={left + 12} y={top + 37} class="key">
        {key}
      </text>
      {sign !== '' && (
        <>
          <circle cx={left + width} cy={top} r={10} class="badge" />
          <text x={left + width} y={top + 5} class="badge-sign">
            {sign}
          </text>
        </>
      )}
    </g>
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
