/** The differences of one aggregate, element by element. */
import { expect, it } from 'vitest';
import { type AggregateFindings, aggregateDifferences } from '../../../cli/show/aggregate-differences.ts';
import { Fault } from '../../../lib/contract/fault.ts';
import { relationshipId } from '../../../lib/contract/identity.ts';
import type { Position } from '../../../lib/contract/position.ts';
import type { ProjectedSubgraph, Subgraph } from '../../../lib/contract/subgraph.ts';
import { createManifest, encodeManifest } from '../../../lib/graph/manifest.ts';
import type { StoredElements } from '../../../lib/graph/stored-graph.ts';
import { readSubgraph } from '../../../lib/projection/read-subgraph.ts';

const key = 'person:ada';
const nothing: StoredElements = { nodes: new Map(), relationships: new Map() };

const subgraphOf = (subgraph: Partial<ProjectedSubgraph>): Subgraph =>
  readSubgraph({ nodes: [], relationships: [], ...subgraph });

const person = (name: string, age: number) => ({ label: 'Person', key: { name }, properties: { age } });
const knows = (from: string, to: string) => ({
  type: 'KNOWS',
  from: { label: 'Person', key: { name: from } },
  to: { label: 'Person', key: { name: to } },
});
const identity = (name: string) => `["Person",[["name","s${name}"]]]`;

/** The graph after outgraph has applied this subgraph. */
const standingOf = ({ nodes, relationships }: Subgraph): StoredElements => ({
  nodes: new Map(
    nodes.map((node) => [
      node.identity,
      {
        labels: [node.label, ...node.labels],
        properties: { ...node.key, ...node.properties },
        owner: key,
        shares: 0,
      },
    ]),
  ),
  relationships: new Map(
    relationships.map((one) => [
      relationshipId(one, key),
      { from: [one.from.identity], to: [one.to.identity], properties: one.properties },
    ]),
  ),
});

const registeredOf = (subgraph: Subgraph | null): AggregateFindings['registered'] => ({
  key,
  position: '0000000100000001' as Position,
  manifest: encodeManifest(createManifest(subgraph, key)),
  deleted: subgraph === null,
});

const differences = (findings: Partial<AggregateFindings>) =>
  aggregateDifferences({
    key,
    document: 'absent',
    registered: undefined,
    standing: nothing,
    isNewestDead: false,
    isInFlight: false,
    ...findings,
  });

const before = subgraphOf({
  nodes: [person('ada', 1), person('bob', 2), person('cyd', 3)],
  relationships: [knows('ada', 'bob')],
});
const after = subgraphOf({
  nodes: [person('ada', 1), person('bob', 22), person('dan', 4)],
  relationships: [knows('ada', 'cyd')],
});
const [knowsBob, knowsCyd] = [before, after].map(({ relationships: [one] }) =>
  one === undefined ? '' : `KNOWS ${relationshipId(one, key)}`,
);

it('an aggregate that matches its document has none', () => {
  const registered = registeredOf(before);
  expect(differences({ document: before, registered, standing: standingOf(before) })).toStrictEqual([]);
});

it('lists what a stale aggregate lacks, what has its older state, and what it should not have', () => {
  const found = differences({ document: after, registered: registeredOf(before), standing: standingOf(before) });
  expect(found.map(({ kind, element, reason }) => [kind, element, reason])).toStrictEqual([
    ['stale', null, 'The graph has a different state of the aggregate, and no event is pending.'],
    ['stale', identity('bob'), 'Its properties differ: age.'],
    ['missing', identity('dan'), 'The graph does not have it yet.'],
    ['missing', knowsCyd, 'The graph does not have it yet.'],
    ['stale', identity('cyd'), "The graph's state has it, but the document does not."],
    ['stale', knowsBob, "The graph's state has it, but the document does not."],
  ]);
});

it('an element of a stale aggregate that both states have but the graph lacks counts as changed', () => {
  const standing = { ...standingOf(before), nodes: new Map(standingOf(before).nodes) };
  standing.nodes.delete(identity('ada'));
  const found = differences({ document: after, registered: registeredOf(before), standing });
  expect(found.filter(({ kind }) => kind === 'changed')).toMatchObject([{ element: identity('ada') }]);
});

it('an element that only the older state has and that is gone is no difference', () => {
  const found = differences({ document: after, registered: registeredOf(before), standing: standingOf(after) });
  expect(found).toMatchObject([{ kind: 'stale', element: null }]);
});

it('does not claim that no event is pending while one is', () => {
  const findings = { document: after, registered: registeredOf(before), standing: standingOf(before) };
  const [general] = differences({ ...findings, isInFlight: true });
  expect(general?.reason).toBe('The graph has an older state of the aggregate.');
});

it.each<readonly [string, Partial<AggregateFindings>, readonly string[]]>([
  ['no document, and nothing in the graph', {}, []],
  ['no document, and a tombstone', { registered: registeredOf(null) }, []],
  ['no document, and a live aggregate', { registered: registeredOf(before) }, ['ghost']],
  ['a document, and nothing in the graph', { document: before }, ['missing']],
  ['a document, and a tombstone', { document: before, registered: registeredOf(null) }, ['missing']],
  ['a document that can never be applied', { document: new Fault('payload-invalid', 'bad') }, ['dead']],
  ['a dead event of an aggregate without a document', { isNewestDead: true }, ['dead']],
  ['a document whose search was not complete', { document: 'not-found', registered: registeredOf(before) }, []],
])('%s', (_, findings, kinds) => {
  expect(differences(findings).map(({ kind }) => kind)).toStrictEqual(kinds);
});
