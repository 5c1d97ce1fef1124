/**
 * Random histories over a small universe of aggregates, so that they collide often: bare endpoints, shared elements,
 * nodes that move from one owner to another or turn from owned to shared, parallel relationships, self-loops, empty
 * subgraphs, deletions and re-creations, labels and properties that come and go, and nodes that were in the graph
 * before. A unique constraint allows each `mail` once, and is violated in passing; some events can never be applied.
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
import type { ForeignData, ModelEvent } from '../support/model/expected-graph.ts';

/** The labels and keys of one universe; a suffix keeps universes apart that share a server. */
export interface Universe {
  readonly suffix: string;
  /** Aggregates that take part. */
  readonly aggregates: number;
}

/** Key property names by label, for reading the graph back. */
export function universeKeys({ suffix }: Universe): Readonly<Record<string, readonly string[]>> {
  return { [`Own${suffix}`]: ['id'], [`Common${suffix}`]: ['id', 'kind'] };
}

/** The first part of all aggregate ids of a universe. */
export function aggregatePrefix({ suffix }: Universe): string {
  return `${suffix}-`;
}

const ownNode = ({ suffix }: Universe, id: string): Endpoint => ({ label: `Own${suffix}`, key: { id } });
const commonNode = ({ suffix }: Universe, id: number): Endpoint => ({
  label: `Common${suffix}`,
  key: { id: BigInt(id), kind: id % 2 === 0 },
});

/** Ids of the common nodes that no aggregate ever lists: foreign ones that relationships attach to. */
const foreignIds = [3, 4];

/** A foreign node that the first aggregate lists in the end: adopted. */
const adopted = (universe: Universe) => ownNode(universe, 'adopted');

/** What stands in the graph before a history begins. */
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

/** The nodes that someone else attaches a relationship to while a history is delivered; `from` is a foreign one. */
export function randomForeignRelationships(universe: Universe): fc.Arbitrary<ForeignData['relationships']> {
  const from = commonNode(universe, foreignIds[0] as number);
  return fc.uniqueArray(
    anyNode(universe).map((to) => ({ type: 'FOREIGN', from, to, properties: {} })),
    { maxLength: 3, selector: ({ to }) => nodeIdentity(to) },
  );
}

/**
 * A history: events in the order of their positions. Any aggregate may list any node, owned or shared, so that
 * intermediate states conflict; at the end events are added by which every conflict is resolved: the graph is then a
 * function of the newest states.
 */
export function randomHistory(universe: Universe, events: number): fc.Arbitrary<readonly ModelEvent[]> {
  const index = fc.nat(universe.aggregates - 1);
  const fault = fc.option(fc.constantFrom('refused' as const, 'invalid' as const), { freq: 6, nil: undefined });
  const state = fc.tuple(index, randomSubgraph(universe), fault);
  return fc.array(state, { minLength: events, maxLength: events }).map((states) => {
    const drawn = states.map(([aggregate, subgraph, faultOf]): State => {
      return { key: keyOf(universe, aggregate), subgraph, ...(faultOf === undefined ? {} : { fault: faultOf }) };
    });
    return [...drawn, ...resolution(universe, drawn)].map((state, at) => ({
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

/** The property that a user's constraint allows once. */
export const uniqueProperty = 'mail';

function keyOf(universe: Universe, aggregate: number): string {
  return `graph:${aggregatePrefix(universe)}${aggregate}`;
}

/** New states for the aggregates whose newest one lists a node that an earlier aggregate has; and the adoption. */
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

/** The node, without its mail if another node has it in the end. */
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

/** Any node that an aggregate may list. */
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
    fc.oneof(fc.constantFrom<unknown>('x', 1, 0.5, null), fc.constant(new Date(0))),
  );
  const listed = anyNode(universe);
  const mail = fc.option(fc.constantFrom('m0', 'm1', 'm2'), { freq: 2 });
  const owned = fc
    .record({ end: listed, labels: fc.uniqueArray(fc.constantFrom('Red', 'Blue')), properties, mail })
    .map(({ end, labels, properties: values, mail: address }): ProjectedNode => {
      return { ...end, labels, properties: address === null ? values : { ...values, [uniqueProperty]: address } };
    });
  const shared = listed.map((end): ProjectedNode => ({ ...end, shared: true }));
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
