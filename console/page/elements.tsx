/** Shows all elements in a table, with their facts on each side. */
import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import type { Picture, PictureNode, PictureRelationship, Sent } from '../messages.ts';
import { count, counted } from './format.ts';
import { differs, marks } from './marks.ts';
import { Table } from './parts.tsx';

type Element = Sent<PictureNode> | Sent<PictureRelationship>;

export function Elements({ picture }: { readonly picture: Sent<Picture> }): ComponentChild {
  const all: readonly Element[] = [...picture.nodes, ...picture.relationships];
  const differing = all.filter(differs);
  const [isAll, setAll] = useState(false);
  const rows = isAll ? all : differing;
  return (
    <section>
      <div class="heading">
        <h2>
          {isAll
            ? `All ${counted(all.length, 'element')}`
            : counted(differing.length, 'element that differs', 'elements that differ')}
        </h2>
        <button type="button" aria-pressed={isAll} onClick={() => setAll(!isAll)}>
          {isAll ? 'Show only those that differ' : `Show all ${count(all.length)}`}
        </button>
      </div>
      <Table
        caption={isAll ? 'All elements' : 'Elements that differ'}
        empty="None: every element is the same on both sides."
        keyOf={({ id }) => id}
        rows={rows}
        columns={[
          { title: 'Element', cell: Name },
          { title: 'In the document', cell: (element) => <Side element={element} side="document" /> },
          { title: 'In the graph', cell: (element) => <Side element={element} side="graph" /> },
        ]}
      />
    </section>
  );
}

function Name({ name, mark }: Element): ComponentChild {
  const { sign, words } = marks[mark];
  return (
    <div class="which">
      <code>{name}</code>
      <span class={`mark ${mark}`}>
        <span class="sign" aria-hidden="true">
          {sign}
        </span>
        {words}
      </span>
    </div>
  );
}

function Side({ element, side }: { readonly element: Element; readonly side: 'document' | 'graph' }): ComponentChild {
  const isThere = side === 'document' ? element.inDocument : element.inGraph;
  if (!isThere) return <span class="note">missing</span>;
  const facts = element.facts.filter((fact) => fact[side] !== null);
  if (facts.length === 0) return <span class="note">exists, without properties</span>;
  return (
    <ul class="facts">
      {facts.map((fact) => (
        <li key={fact.name} class={fact.document === fact.graph ? undefined : 'differs'}>
          {fact.name}: <code>{fact[side]}</code>
          {fact.document !== fact.graph && <span class="hidden"> (differs)</span>}
        </li>
      ))}
    </ul>
  );
}
