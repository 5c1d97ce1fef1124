/**
 * Random histories over a small universe of aggregates, so that they collide often. They contain
 * placeholders, shared elements, nodes that change owners or turn from owned to shared, parallel
 * relationships, self-loops, empty subgraphs, deletions and re-creations, labels and properties
 * that come and go, and nodes that existed before. A unique constraint allows each `mail` once and
 * is violated temporarily. Some events can never be applied.
 */
import fc from 'fast-check';
import { nodeIdentity } from '../../lib/contract/identity.ts';
import { toPosition } from '../../lib/contract/position.ts';
import type {
  Endpoint,
  ProjectedNode,
  ProjectedRelationship,
  Subgraph,
  SubgraphNode,
} from '../../lib/contract/subgraph.ts';
import { readSubgraph } from '../../lib/projection/read-subgraph.ts';
import type { ForeignData, ModelEvent } from '../../lib/testing/expected-graph.ts';

/** The labels and keys of one universe. The suffix separates universes on the same server. */
export interface Universe {
  readonly suffix: string;
  /** The number of aggregates. */
  readonly aggregates: number;
}

/** The key properties of each label, to read the graph back. */
export function universeKeys({ suffix }: Universe): Readonly<Record<string, readonly string[]>> {
  return { [`Own${suffix}`]: ['id'], [`Common${suffix}`]: ['id', 'kind'] };
}

/** The prefix of all aggregate ids in a universe. */
export function aggregatePrefix({ suffix }: Universe): string {
  return `${suffix}-`;
}

const ownNode = ({ suffix }: Universe, id: string): Endpoint => ({ label: `Own${suffix}`, key: { id } });
const commonNode = ({ suffix }: Universe, id: number): Endpoint => ({
  label: `Common${suffix}`,
  key: { id: BigInt(id), kind: id % 2 === 0 },
});

/**
 * Ids of common nodes that no aggregate ever lists: foreign nodes, to which relationships attach.
 */
const foreignIds = [3, 4];

/** A foreign node that the first aggregate adopts at the end. */
const adopted = (universe: Universe) => ownNode(universe, 'adopted');

/** The content of the graph before a history begins. */
export function foreignBefore(universe: Universe): ForeignData {
  const [left, right] = foreignIds.map((id) => commonNode(universe, id)) as [Endpoint, Endpoint];
  return {
    nodes: [left, right, adopted(universe)].map((end) => ({
      ...end,
      labels: ['Theirs'],
      properties: { name: 'theirs' },
    })),
    relationships: [{ type: 'FOREIGN', from: left, to: right, properties: { since: 1n } }],
  };
}

/**
 * Relationships that another client attaches while a history is delivered; `from` is a foreign
 * node.
 */
export function randomForeignRelationships(universe: Universe): fc.Arbitrary<ForeignData['relationships']> {
  const from = commonNode(universe, foreignIds[0] as number);
  return fc.uniqueArray(
    anyNode(universe).map((to) => ({ type: 'FOREIGN', from, to, properties: {} })),
    { maxLength: 3, selector: ({ to }) => nodeIdentity(to) },
  );
}

/**
 * A history: events in the order of their positions. Any aggregate may list any node, owned or
 * shared, so intermediate states conflict. Final events resolve every conflict, so that the graph
 * is a function of the newest states.
 */
export function randomHistory(universe: Universe, events: number): fc.Arbitrary<readonly ModelEvent[]> {
  const index = fc.nat(universe.aggregates - 1);
  const fault = fc.option(fc.constantFrom('refused' as const, 'invalid' as const), { freq: 6, nil: undefined });
  const state = fc.tuple(index, randomSubgraph(universe), fault);
  return fc.array(state, { minLength: events, maxLength: events }).map((states) => {
    const randomStates = states.map(([aggregate, subgraph, faultOf]): State => {
      return { key: keyOf(universe, aggregate), subgraph, ...(faultOf === undefined ? {} : { fault: faultOf }) };
    });
    return [...randomStates, ...resolution(universe, randomStates)].map((state, at) => ({
      ...state,
      position: toPosition({ t: 1_000 + Math.floor(at / 3), i: at + 1 }),
    }));
  });
}

type State = Omit<ModelEvent, 'position'>;

/** The label whose nodes have the unique property. */
export function uniqueLabel({ suffix }: Universe): string {
  return `Own${suffix}`;
}

/** The property on which a user has a unique constraint. */
export const uniqueProperty = 'mail';

function keyOf(universe: Universe, aggregate: number): string {
  return `graph:${aggregatePrefix(universe)}${aggregate}`;
}

/**
 * New states for the aggregates whose newest state lists a node that an earlier aggregate has, and
 * the state that adopts the foreign node.
 */
function resolution(universe: Universe, states: readonly State[]): readonly State[] {
  const valid = states.filter(({ fault }) => fault === undefined);
  const newest = new Map(valid.map((state) => [state.key, state.subgraph]));
  const mails = new Set<unknown>();
  const adopter = keyOf(universe, 0);
  const adoption = readSubgraph({ nodes: [{ ...adopted(universe), properties: { name: 'ours' } }] }).nodes;
  const holders = new Map<string, 'owned' | 'shared'>(adoption.map((node) => [nodeIdentity(node), 'owned'] as const));
  const added: State[] = [];
  for (const [key, subgraph] of newest) {
    if (subgraph === null && key !== adopter) continue;
    const before = subgraph ?? { nodes: [], relationships: [] };
    const kept = before.nodes.filter((node) => mayList(node, holders));
    for (const node of kept) holders.set(nodeIdentity(node), node.shared ? 'shared' : 'owned');
    const nodes = (key === adopter ? [...kept, ...adoption] : kept).map((node) => withFreeMail(universe, node, mails));
    const isChanged = nodes.length !== before.nodes.length || nodes.some((node, at) => node !== before.nodes[at]);
    if (isChanged || key === adopter) added.push({ key, subgraph: { ...before, nodes } });
  }
  if (!newest.has(adopter)) added.push({ key: adopter, subgraph: { nodes: adoption, relationships: [] } });
  return added;
}

/** Returns the node, without its mail if another node keeps that mail. */
function withFreeMail(universe: Universe, node: SubgraphNode, taken: Set<unknown>): SubgraphNode {
  const { [uniqueProperty]: mail, ...others } = node.properties;
  if (node.label !== uniqueLabel(universe) || mail === undefined) return node;
  if (taken.has(mail)) return { ...node, properties: others };
  taken.add(mail);
  return node;
}

function mayList(node: SubgraphNode, holders: ReadonlyMap<string, 'owned' | 'shared'>): boolean {
  const holder = holders.get(nodeIdentity(node));
  return holder === undefined || (holder === 'shared' && node.shared);
}

/** Any node that an aggregate can list. */
function anyNode(universe: Universe): fc.Arbitrary<Endpoint> {
  return fc.oneof(
    fc
      .tuple(fc.nat(universe.aggregates - 1), fc.nat(1))
      .map(([owner, number]) => ownNode(universe, `${owner}-${number}`)),
    fc.nat(2).map((id) => commonNode(universe, id)),
  );
}

function randomSubgraph(universe: Universe): fc.Arbitrary<Subgraph | null> {
  const properties = fc.dictionary(
    fc.constantFrom('a', 'b'),
    fc.oneof(fc.constantFrom('x', 1, 0.5, null), fc.constant(new Date(0))),
  );
  const listedNode = anyNode(universe);
  const mail = fc.option(fc.constantFrom('m0', 'm1', 'm2'), { freq: 2 });
  const owned = fc
    .record({ end: listedNode, labels: fc.uniqueArray(fc.constantFrom('Red', 'Blue')), properties, mail })
    .map(({ end, labels, properties: values, mail: address }): ProjectedNode => {
      return { ...end, labels, properties: address === null ? values : { ...values, [uniqueProperty]: address } };
    });
  const shared = listedNode.map((end): ProjectedNode => ({ ...end, shared: true }));
  const end = fc.oneof(
    { arbitrary: anyNode(universe), weight: 5 },
    { arbitrary: fc.constantFrom(...foreignIds.map((id) => commonNode(universe, id))), weight: 1 },
    { arbitrary: fc.constant(adopted(universe)), weight: 1 },
  );
  const relationship = fc.record({
    type: fc.constantFrom('LINKS', 'NEAR'),
    from: end,
    to: end,
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
      nodes: fc.uniqueArray(fc.oneof(owned, shared), {
        maxLength: 3,
        selector: (node) => JSON.stringify([node.label, textKey(node)]),
      }),
      relationships: fc.uniqueArray(fc.oneof(ownRelationship, sharedRelationship), {
        maxLength: 4,
        selector: ({ type, from, to, key }) => JSON.stringify([type, textKey(from), textKey(to), key]),
      }),
    })
    .map(readSubgraph);
  return fc.option(subgraph, { freq: 4, nil: null });
}

function textKey({ label, key }: { readonly label: string; readonly key: Readonly<Record<string, unknown>> }): string {
  return `${label} ${Object.values(key).join()}`;
}
