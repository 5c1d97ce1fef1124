/**
 * Random histories over a small universe of aggregates, so that they collide often: bare endpoints, shared elements, parallel relationships, self-loops, empty
 * subgraphs, deletions and re-creations, labels and properties that come and go.
 */
import fc from 'fast-check';
import { toPosition } from '../../lib/contract/position.ts';
import { readSubgraph } from '../../lib/contract/read-subgraph.ts';
import type { ProjectedNode, ProjectedRelationship } from '../../lib/contract/subgraph.ts';
import type { ModelEvent } from './expected-graph.ts';

/** The labels and types of one universe; a suffix keeps universes apart that share a server. */
export interface Universe {
  readonly suffix: string;
  /** Aggregates that take part. */
  readonly aggregates: number;
}

/** Key property names by label, for reading the graph back. */
export function universeKeys({ suffix }: Universe): Readonly<Record<string, readonly string[]>> {
  return { [`Own${suffix}`]: ['id'], [`Common${suffix}`]: ['id', 'kind'] };
}

/**
 * A history: events in the order of their positions. Each aggregate owns nodes of its own only, so that every event can be applied in any
 * order; what two aggregates have in common is shared or a bare endpoint.
 */
export function randomHistory(universe: Universe, events: number): fc.Arbitrary<readonly ModelEvent[]> {
  const index = fc.nat(universe.aggregates - 1);
  return fc
    .array(
      index.chain((aggregate) => fc.tuple(fc.constant(aggregate), randomSubgraph(universe, aggregate))),
      {
        minLength: events,
        maxLength: events,
      },
    )
    .map((states) =>
      states.map(([aggregate, subgraph], at) => ({
        key: `graph:${universe.suffix}-${aggregate}`,
        position: toPosition({ t: 1_000 + Math.floor(at / 3), i: at + 1 }),
        subgraph,
      })),
    );
}

function randomSubgraph({ suffix, aggregates }: Universe, aggregate: number) {
  const own = (owner: number, number: number) => ({ label: `Own${suffix}`, key: { id: `${owner}-${number}` } });
  const common = (number: number) => ({ label: `Common${suffix}`, key: { id: number, kind: number % 2 === 0 } });
  const anyNode = fc.oneof(
    fc.tuple(fc.nat(aggregates - 1), fc.nat(1)).map(([owner, number]) => own(owner, number)),
    fc.nat(2).map(common),
  );
  const properties = fc.dictionary(
    fc.constantFrom('a', 'b'),
    fc.oneof(fc.constantFrom<unknown>('x', 1, 0.5, null), fc.constant(new Date(0))),
  );
  const ownNode = fc.record<ProjectedNode>({
    label: fc.constant(`Own${suffix}`),
    key: fc.nat(1).map((number) => own(aggregate, number).key),
    labels: fc.uniqueArray(fc.constantFrom('Red', 'Blue')),
    properties,
  });
  const sharedNode = fc.nat(2).map((number): ProjectedNode => ({ ...common(number), shared: true }));
  const relationship = fc.record({
    type: fc.constantFrom('LINKS', 'NEAR'),
    from: anyNode,
    to: anyNode,
    key: fc.constantFrom('', 'k'),
  });
  const ownRelationship = fc
    .tuple(relationship, properties)
    .map(([item, values]): ProjectedRelationship => ({ ...item, properties: values }));
  const sharedRelationship = relationship.map(
    (item): ProjectedRelationship => ({ ...item, type: 'SHARED', shared: true }),
  );
  const subgraph = fc
    .record({
      nodes: fc.uniqueArray(fc.oneof(ownNode, sharedNode), {
        maxLength: 3,
        selector: (node) => JSON.stringify([node.label, node.key]),
      }),
      relationships: fc.uniqueArray(fc.oneof(ownRelationship, sharedRelationship), {
        maxLength: 4,
        selector: ({ type, from, to, key }) => JSON.stringify([type, from, to, key]),
      }),
    })
    .map(readSubgraph);
  return fc.option(subgraph, { freq: 4, nil: null });
}
