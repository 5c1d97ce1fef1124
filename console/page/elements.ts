/** All elements in a table, with their facts on each side. */
import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import type { Fact, Picture, PictureNode, PictureRelationship, Sent } from '../messages.ts';
import { count, counted } from './format.ts';
import { differs, marks } from './marks.ts';
import { Empty, Table } from './parts.ts';

type Element = Sent<PictureNode> | Sent<PictureRelationship>;

export function Elements({ picture }: { readonly picture: Sent<Picture> }): ComponentChild {
  const all: readonly Element[] = [...picture.nodes, ...picture.relationships];
  const differing = all.filter(differs);
  const [isAll, setAll] = useState(false);
  const rows = isAll ? all : differing;
  const toggle = () => setAll(!isAll);
  return h(
    'section',
    null,
    h(
      'div',
      { class: 'heading' },
      h(
        'h2',
        null,
        isAll
          ? `All ${counted(all.length, 'element')}`
          : counted(differing.length, 'element that differs', 'elements that differ'),
      ),
      h(
        'button',
        { type: 'button', 'aria-pressed': isAll, onClick: toggle },
        isAll ? 'Show only those that differ' : `Show all ${count(all.length)}`,
      ),
    ),
    rows.length === 0
      ? h(Empty, null, 'None: every element is the same on both sides.')
      : h(Table<Element>, {
          caption: isAll ? 'All elements' : 'Elements that differ',
          keyOf: ({ id }) => id,
          rows,
          columns: [
            { title: 'Element', cell: Name },
            { title: 'The document says', cell: (element) => h(Side, { element, side: 'document' }) },
            { title: 'The graph has', cell: (element) => h(Side, { element, side: 'graph' }) },
          ],
        }),
  );
}

function Name({ name, mark }: Element): ComponentChild {
  const { sign, words } = marks[mark];
  return h(
    'div',
    { class: 'which' },
    h('code', null, name),
    h('span', { class: `mark ${mark}` }, h('span', { class: 'sign', 'aria-hidden': 'true' }, sign), words),
  );
}

function Side({ element, side }: { readonly element: Element; readonly side: 'document' | 'graph' }): ComponentChild {
  const isThere = side === 'document' ? element.inDocument : element.inGraph;
  if (!isThere) return h('span', { class: 'note' }, 'missing');
  const facts = element.facts.filter((fact) => fact[side] !== null);
  if (facts.length === 0) return h('span', { class: 'note' }, 'exists, without properties');
  return h(
    'ul',
    { class: 'facts' },
    facts.map((fact) => h(FactLine, { key: fact.name, fact, side })),
  );
}

function FactLine({ fact, side }: { readonly fact: Fact; readonly side: 'document' | 'graph' }): ComponentChild {
  const differs = fact.document !== fact.graph;
  return h(
    'li',
    { class: differs ? 'differs' : undefined },
    `${fact.name}: `,
    h('code', null, fact[side]),
    differs && h('span', { class: 'hidden' }, ' (differs)'),
  );
}
