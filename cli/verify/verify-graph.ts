/**
 * From the graph back to the documents: is there an aggregate without a document, or an element that no aggregate
 * lists? All that the registry lists is kept in a few bytes for each element; what is not among it is looked at again,
 * against the aggregates that have changed meanwhile.
 */

import { canaryAggregate } from '../../lib/contract/canary.ts';
import { readNodeIdentity, relationshipName } from '../../lib/contract/identity.ts';
import { splitAggregateKey } from '../../lib/contract/outbox-event.ts';
import type { Position } from '../../lib/contract/position.ts';
import { decodeManifest, readLine } from '../../lib/graph/manifest.ts';
import type { MarkedElement, MarkedNode, RegisteredAggregate } from '../../lib/graph/stored-graph.ts';
import type { Difference, Found } from './difference.ts';
import type { VerifyPorts } from './ports.ts';
import { TextSet } from './text-set.ts';

const pageAggregates = 1_000;
const suspectsAtOnce = 1_000;

/** What the registry lists. */
export class ListedElements {
  readonly #elements = new TextSet();
  readonly #keys = new TextSet();
  /** Of aggregates that have changed since: listed as well, but not to be counted a second time. */
  #changed = new TextSet();
  #changedKeys = new TextSet();
  /** Of the nodes that some aggregate lists. */
  readonly #labels = new Set<string>();

  /** To be called once for each aggregate. */
  add({ key, manifest }: RegisteredAggregate): void {
    this.#keys.add(key);
    this.#addLines(this.#elements, key, manifest);
  }

  /** What has changed is told anew each time, all of it. */
  forgetChanged(): void {
    this.#changed = new TextSet();
    this.#changedKeys = new TextSet();
  }

  addChanged({ key, manifest }: RegisteredAggregate): void {
    this.#changedKeys.add(key);
    this.#addLines(this.#changed, key, manifest);
  }

  /**
   * Whether the node has a label by which an aggregate lists nodes, or that outgraph's own constraint keys. Any other
   * is somebody's copy.
   */
  couldList({ identities }: MarkedNode, ownLabels: ReadonlySet<string>): boolean {
    return identities.some((identity) => {
      const { label } = readNodeIdentity(identity);
      return this.#labels.has(label) || ownLabels.has(label);
    });
  }

  /** Whether some aggregate lists the element, or, for a bare node, something holds it. */
  has(element: MarkedElement): boolean {
    if (element.kind === 'relationship')
      return this.#knows(ownedRelationship(element.id)) || this.#knows(sharedRelationship(element.id));
    const { owner, shares, identities, lonely } = element;
    if (owner !== null) return identities.some((identity) => this.#knows(ownedNode(owner, identity)));
    if (shares > 0) return identities.some((identity) => this.#knows(sharedNode(identity)));
    return !lonely;
  }

  /** Whether as many aggregates list the element as it says that share it. */
  counts(element: MarkedElement): boolean {
    if (element.kind === 'relationship')
      return (element.shares ?? 0) === this.#elements.count(sharedRelationship(element.id));
    const { owner, shares, identities } = element;
    const listings = () => sum(identities.map((identity) => this.#elements.count(sharedNode(identity))));
    return owner !== null || shares === 0 || shares === listings();
  }

  knows(key: string): boolean {
    return this.#keys.has(key) || this.#changedKeys.has(key);
  }

  #addLines(elements: TextSet, key: string, manifest: string): void {
    for (const line of decodeManifest(manifest)) {
      const listed = readLine(line);
      if (listed.kind === 'node') this.#labels.add(listed.endpoint.label);
      elements.add(lineName(key, listed));
    }
  }

  #knows(name: string): boolean {
    return this.#elements.has(name) || this.#changed.has(name);
  }
}

const ownedNode = (key: string, identity: string) => `n ${key} ${identity}`;
const sharedNode = (identity: string) => `s ${identity}`;
const ownedRelationship = (id: string) => `r ${id}`;
const sharedRelationship = (id: string) => `t ${id}`;

function lineName(key: string, listed: ReturnType<typeof readLine>): string {
  const { shared } = listed;
  if (listed.kind === 'relationship') return shared ? sharedRelationship(listed.id) : ownedRelationship(listed.id);
  const { identity } = listed.endpoint;
  return shared ? sharedNode(identity) : ownedNode(key, identity);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/**
 * Which aggregates of these types have no document. `documents`: the keys of all aggregates whose document was seen;
 * `listed`: where all that the registry lists is put, null if nobody asks for it. Returns how many are too new to tell.
 */
export async function verifyAggregates<Id>(
  ports: VerifyPorts<Id>,
  types: ReadonlySet<string>,
  documents: TextSet,
  listed: ListedElements | null,
  { notAfter, tell, doubtful, scope }: AggregateOptions<Id>,
): Promise<number> {
  let tooNew = 0;
  let looked = 0;
  let after = '';
  for (;;) {
    const page = await ports.listAggregates(after, pageAggregates);
    const last = page.at(-1);
    if (last === undefined || ports.isInterrupted()) return tooNew;
    after = last.key;
    for (const aggregate of page) {
      listed?.add(aggregate);
      scope.meet(splitAggregateKey(aggregate.key).aggregateType);
    }
    const undocumented = page.filter(
      ({ key }) => types.has(splitAggregateKey(key).aggregateType) && !documents.has(key),
    );
    const old = undocumented.filter(({ position }) => position <= notAfter);
    tooNew += undocumented.length - old.length;
    await tell(await confirmGhosts(ports, old, doubtful));
    looked += page.length;
    ports.progress('aggregates', looked);
  }
}

async function confirmGhosts<Id>(
  ports: VerifyPorts<Id>,
  suspects: readonly RegisteredAggregate[],
  doubtful: ReadonlySet<string>,
): Promise<readonly Found<Id>[]> {
  const found: Found<Id>[] = [];
  for (const [aggregateType, members] of Map.groupBy(suspects, ({ key }) => splitAggregateKey(key).aggregateType)) {
    const ids = members.map(({ key }) => splitAggregateKey(key).aggregateId);
    const unsettled = await ports.newestUnsettled(aggregateType, ids);
    const now = await ports.readAggregates(members.map(({ key }) => key));
    for (const { key, position } of members) {
      const event = unsettled.get(splitAggregateKey(key).aggregateId);
      const known = now.get(key);
      if (known === undefined || known.deleted || known.position !== position) continue;
      const isAhead = event !== undefined && event.position > position;
      if (isAhead && event.status === 'pending') continue;
      const about = { aggregate: key, element: null };
      found.push(
        isAhead
          ? { difference: { ...about, kind: 'dead', reason: 'Its newest event is dead.' }, subject: null }
          : ghostAggregate(key, position, doubtful.has(aggregateType)),
      );
    }
  }
  return found;
}

function ghostAggregate(key: string, position: Position, isDoubtful: boolean): Found<never> {
  const doubt = isDoubtful ? ' Its type has no documents, or some that have no aggregate id: it is not repaired.' : '';
  const reason = `The graph has the aggregate, and no document has it.${doubt}`;
  const difference = { kind: 'ghost', aggregate: key, element: null, reason } as const;
  return { difference, subject: isDoubtful ? null : { kind: 'aggregate', key, position } };
}

interface AggregateOptions<Id> {
  readonly notAfter: Position;
  readonly tell: TellAll<Id>;
  /**
   * Types of which not every document could be told, or that have none at all: that a document is missing may be an
   * error of somebody's.
   */
  readonly doubtful: ReadonlySet<string>;
  readonly scope: RepairScope;
}

/** Of which aggregates the documents are compared: what others may list again is not to be taken away. */
export class RepairScope {
  readonly #types: ReadonlySet<string>;
  #isWhole: boolean;

  constructor(types: ReadonlySet<string>, isWholeCatalog: boolean) {
    this.#types = types;
    this.#isWhole = isWholeCatalog;
  }

  /** The registry has an aggregate of this type. */
  meet(aggregateType: string): void {
    if (!this.#types.has(aggregateType) && aggregateType !== canaryAggregate.aggregateType) this.#isWhole = false;
  }

  /** Whether an element that nobody lists is certainly nobody's. */
  covers(element: MarkedElement): boolean {
    const owner = element.kind === 'node' ? element.owner : null;
    return this.#isWhole || (owner !== null && this.#types.has(splitAggregateKey(owner).aggregateType));
  }
}

type TellAll<Id> = (found: readonly Found<Id>[]) => Promise<void>;

/**
 * Which elements bear outgraph's marks, and nobody lists them, or not as many as they say. `since`: when the listing
 * began.
 */
export async function verifyElements<Id>(
  ports: VerifyPorts<Id>,
  listed: ListedElements,
  { since, tell, scope }: { readonly since: Position; readonly tell: TellAll<Id>; readonly scope: RepairScope },
): Promise<void> {
  let unlisted: MarkedElement[] = [];
  let miscounted: MarkedElement[] = [];
  let looked = 0;
  const confirm = async (atLeast: number) => {
    if (unlisted.length >= atLeast)
      await tell(await confirmUnlisted(ports, listed, unlisted.splice(0), { since, scope }));
    if (miscounted.length >= atLeast) await tell(await confirmMiscounted(ports, miscounted.splice(0)));
  };
  for await (const elements of ports.walkElements()) {
    unlisted = [...unlisted, ...elements.filter((element) => !listed.has(element))];
    miscounted = [...miscounted, ...elements.filter((element) => listed.has(element) && !listed.counts(element))];
    looked += elements.length;
    ports.progress('elements', looked);
    await confirm(suspectsAtOnce);
    if (ports.isInterrupted()) return;
  }
  await confirm(1);
}

async function confirmUnlisted<Id>(
  ports: VerifyPorts<Id>,
  listed: ListedElements,
  suspects: readonly MarkedElement[],
  { since, scope }: { readonly since: Position; readonly scope: RepairScope },
): Promise<readonly Found<Id>[]> {
  // First whether they still stand: what is taken away after that is on its way out, and comes up again at the next
  // verification if it is not.
  const standing = await ports.rereadElements(suspects);
  listed.forgetChanged();
  for await (const changed of ports.listChanged(since)) for (const aggregate of changed) listed.addChanged(aggregate);
  const unlisted = standing.filter((element) => !listed.has(element));
  const remaining = unlisted.length === 0 ? [] : await ports.rereadElements(unlisted);
  const ownLabels = remaining.length === 0 ? new Set<string>() : await ports.readOwnLabels();
  return remaining.map((element) => {
    if (element.kind === 'node' && !listed.couldList(element, ownLabels))
      return { difference: copyDifference(element), subject: null };
    const difference = unlistedDifference(element, listed);
    return { difference, subject: scope.covers(element) ? { kind: 'element', element } : null };
  });
}

/** What is shared by many changes often: a wrong count that is looked at between two changes is wrong all the same. */
async function confirmMiscounted<Id>(
  ports: VerifyPorts<Id>,
  suspects: readonly MarkedElement[],
): Promise<readonly Found<Id>[]> {
  const counted = await ports.countListings(suspects);
  return counted
    .filter(({ element, listings }) => (element.shares ?? 0) !== listings)
    .map(({ element }) => ({
      difference: {
        kind: 'changed',
        aggregate: null,
        element: elementName(element),
        reason: 'Its count of aggregates that share it is wrong.',
      },
      subject: { kind: 'element', element },
    }));
}

function elementName(element: MarkedElement): string {
  if (element.kind === 'relationship') return relationshipName(element.type, element.id);
  return element.identities[0] ?? `node ${element.elementId}`;
}

function copyDifference(element: MarkedNode): Difference {
  const reason =
    "A copy of a node, or one that lost its label or key: it has outgraph's marks, and no label by which outgraph lists nodes. It is left alone; remove its properties that begin with _outgraph.";
  return { kind: 'unowned', aggregate: element.owner, element: elementName(element), reason };
}

function unlistedDifference(element: MarkedElement, listed: ListedElements): Difference {
  const name = elementName(element);
  if (element.kind === 'relationship')
    return { kind: 'unowned', aggregate: null, element: name, reason: 'No aggregate lists the relationship.' };
  const { owner } = element;
  if (owner !== null && listed.knows(owner))
    return { kind: 'ghost', aggregate: owner, element: name, reason: 'The aggregate does not list the node.' };
  const reason =
    owner === null
      ? 'No aggregate lists the node, and no relationship holds it.'
      : 'The graph does not know the aggregate that owns the node.';
  return { kind: 'unowned', aggregate: owner, element: name, reason };
}
