/**
 * Compares from the graph to the documents: is there an aggregate without a document, or an element
 * that no aggregate lists? Holds the elements that the registry lists in a few bytes each. An
 * element that is not among them is read again, and compared with the aggregates that have changed
 * in the meantime.
 */

import { canaryAggregate } from '../../lib/contract/canary.ts';
import { readNodeIdentity, relationshipName } from '../../lib/contract/identity.ts';
import type { Position } from '../../lib/contract/position.ts';
import { type RegistryKeys, sourceOf } from '../../lib/contract/registry-keys.ts';
import { decodeManifest, readLine } from '../../lib/graph/manifest.ts';
import type { MarkedElement, MarkedNode, RegisteredAggregate } from '../../lib/graph/stored-graph.ts';
import type { Difference, Found } from './difference.ts';
import type { VerifyPorts } from './ports.ts';
import { TextSet } from './text-set.ts';

const suspectsAtOnce = 1_000;

/** The elements that the registry lists: those of one source, and the shared ones of all. */
export class ListedElements {
  readonly #source: RegistryKeys;
  readonly #elements = new TextSet();
  readonly #keys = new TextSet();
  /**
   * Elements of aggregates that have changed since. They are listed too, but not counted a second
   * time.
   */
  #changed = new TextSet();
  #changedKeys = new TextSet();
  /** The labels of listed nodes. */
  readonly #labels = new Set<string>();

  constructor(keys: RegistryKeys) {
    this.#source = keys;
  }

  /** Call it once for each aggregate. */
  add({ key, manifest }: RegisteredAggregate): void {
    if (this.#source.has(key)) this.#keys.add(key);
    this.#addLines(this.#elements, key, manifest);
  }

  /** Call it before all changed aggregates are added again. */
  forgetChanged(): void {
    this.#changed = new TextSet();
    this.#changedKeys = new TextSet();
  }

  addChanged({ key, manifest }: RegisteredAggregate): void {
    this.#changedKeys.add(key);
    this.#addLines(this.#changed, key, manifest);
  }

  /**
   * Whether the node has a label of listed nodes or of outgraph's key constraints. Any other node
   * is a user's copy.
   */
  couldList({ identities }: MarkedNode, ownLabels: ReadonlySet<string>): boolean {
    return identities.some((identity) => {
      const { label } = readNodeIdentity(identity);
      return this.#labels.has(label) || ownLabels.has(label);
    });
  }

  /** Whether an aggregate lists the element, or it is a placeholder with a relationship. */
  has(element: MarkedElement): boolean {
    if (element.kind === 'relationship')
      return this.#knows(ownedRelationship(element.id)) || this.#knows(sharedRelationship(element.id));
    const { owner, shares, identities, lonely } = element;
    if (owner !== null) return identities.some((identity) => this.#knows(ownedNode(owner, identity)));
    if (shares > 0) return identities.some((identity) => this.#knows(sharedNode(identity)));
    return !lonely;
  }

  /** Whether the element's share count matches the number of aggregates that list it. */
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
    const isOwn = this.#source.has(key);
    for (const line of decodeManifest(manifest)) {
      const listed = readLine(line);
      if (!isOwn && !listed.shared) continue;
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
 * Finds aggregates of these types without a document. Returns how many are too new to judge.
 *
 * @param documents the keys of all aggregates with a document.
 * @param listed receives the elements that the registry lists; null if they are not needed.
 */
export async function verifyAggregates<Id>(
  ports: VerifyPorts<Id>,
  types: ReadonlySet<string>,
  documents: TextSet,
  listed: ListedElements | null,
  { notAfter, report, doubtful, scope }: AggregateOptions<Id>,
): Promise<number> {
  let tooNew = 0;
  let examined = 0;
  const { keys } = ports;
  for await (const all of ports.walkAggregates(listed === null ? 'source' : 'graph')) {
    if (ports.isInterrupted()) break;
    for (const aggregate of all) listed?.add(aggregate);
    const page = all.filter(({ key }) => keys.has(key));
    for (const { key } of page) scope.addType(keys.split(key).aggregateType);
    const undocumented = page.filter(({ key }) => types.has(keys.split(key).aggregateType) && !documents.has(key));
    const old = undocumented.filter(({ position }) => position <= notAfter);
    tooNew += undocumented.length - old.length;
    await report(await confirmGhosts(ports, old, doubtful));
    examined += page.length;
    ports.progress('aggregates', examined);
  }
  return tooNew;
}

async function confirmGhosts<Id>(
  ports: VerifyPorts<Id>,
  suspects: readonly RegisteredAggregate[],
  doubtful: ReadonlyMap<string, string>,
): Promise<readonly Found<Id>[]> {
  const found: Found<Id>[] = [];
  const { keys } = ports;
  for (const [aggregateType, members] of Map.groupBy(suspects, ({ key }) => keys.split(key).aggregateType)) {
    const ids = members.map(({ key }) => keys.split(key).aggregateId);
    const unsettled = await ports.newestUnsettled(aggregateType, ids);
    const now = await ports.readAggregates(members.map(({ key }) => key));
    for (const { key, position } of members) {
      const event = unsettled.get(keys.split(key).aggregateId);
      const known = now.get(key);
      if (known === undefined || known.deleted || known.position !== position) continue;
      const isAhead = event !== undefined && event.position > position;
      if (isAhead && event.status === 'pending') continue;
      const about = { aggregate: key, element: null };
      found.push(
        isAhead
          ? { difference: { ...about, kind: 'dead', reason: 'Its newest event is dead.' }, subject: null }
          : ghostAggregate(key, position, doubtful.get(aggregateType)),
      );
    }
  }
  return found;
}

function ghostAggregate(key: string, position: Position, doubt: string | undefined): Found<never> {
  const reason = `The graph has the aggregate, but no document does.${doubt === undefined ? '' : ` ${doubt}`}`;
  const difference = { kind: 'ghost', aggregate: key, element: null, reason } as const;
  return { difference, subject: doubt === undefined ? { kind: 'aggregate', key, position } : null };
}

interface AggregateOptions<Id> {
  readonly notAfter: Position;
  readonly report: ReportAll<Id>;
  /** Types of which a missing document may be a mistake, and why. */
  readonly doubtful: ReadonlyMap<string, string>;
  readonly scope: RepairScope;
}

/**
 * The aggregates whose documents are compared. An element that other aggregates may list must not
 * be deleted.
 */
export class RepairScope {
  readonly #keys: RegistryKeys;
  readonly #types: ReadonlySet<string>;
  #isWhole: boolean;

  constructor(keys: RegistryKeys, types: ReadonlySet<string>, isWholeCatalog: boolean) {
    this.#keys = keys;
    this.#types = types;
    this.#isWhole = isWholeCatalog;
  }

  /** Call it for each aggregate type that the registry has of the source. */
  addType(aggregateType: string): void {
    if (!this.#types.has(aggregateType) && aggregateType !== canaryAggregate.aggregateType) this.#isWhole = false;
  }

  /** Whether an unlisted element certainly belongs to no aggregate. */
  covers(element: MarkedElement): boolean {
    const owner = element.kind === 'node' ? element.owner : null;
    return this.#isWhole || (owner !== null && this.#types.has(this.#keys.split(owner).aggregateType));
  }
}

type ReportAll<Id> = (found: readonly Found<Id>[]) => Promise<void>;

/**
 * Finds elements with outgraph's marks that are unlisted or have a wrong share count.
 *
 * @param options.since when the listing started.
 */
export async function verifyElements<Id>(
  ports: VerifyPorts<Id>,
  listed: ListedElements,
  { since, report, scope }: { readonly since: Position; readonly report: ReportAll<Id>; readonly scope: RepairScope },
): Promise<void> {
  let unlisted: MarkedElement[] = [];
  let miscounted: MarkedElement[] = [];
  let examined = 0;
  const confirm = async (atLeast: number) => {
    if (unlisted.length >= atLeast)
      await report(await confirmUnlisted(ports, listed, unlisted.splice(0), { since, scope }));
    if (miscounted.length >= atLeast) await report(await confirmMiscounted(ports, miscounted.splice(0)));
  };
  for await (const all of ports.walkElements()) {
    const elements = all.filter((element) => !isOfAnotherSource(ports.keys, element));
    unlisted = [...unlisted, ...elements.filter((element) => !listed.has(element))];
    miscounted = [...miscounted, ...elements.filter((element) => listed.has(element) && !listed.counts(element))];
    examined += elements.length;
    ports.progress('elements', examined);
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
  // First check whether they still exist. The next verification finds an element that should have
  // been deleted since.
  const reread = async (elements: readonly MarkedElement[]) =>
    (await ports.rereadElements(elements)).filter((element) => !isOfAnotherSource(ports.keys, element));
  const stored = await reread(suspects);
  listed.forgetChanged();
  for await (const changed of ports.listChanged(since)) for (const aggregate of changed) listed.addChanged(aggregate);
  const unlisted = stored.filter((element) => !listed.has(element));
  const existing = unlisted.length === 0 ? [] : await reread(unlisted);
  const remaining = await withoutShared(ports, existing);
  const ownLabels = remaining.length === 0 ? new Set<string>() : await ports.readOwnLabels();
  return remaining.map((element) => {
    if (element.kind === 'node' && !listed.couldList(element, ownLabels))
      return { difference: copyDifference(element), subject: null };
    const difference = unlistedDifference(element, listed);
    return { difference, subject: scope.covers(element) ? { kind: 'element', element } : null };
  });
}

/**
 * Removes the elements that aggregates of other sources share. Their events may have any position,
 * so that the changed aggregates do not include all of them.
 */
async function withoutShared<Id>(
  ports: VerifyPorts<Id>,
  elements: readonly MarkedElement[],
): Promise<readonly MarkedElement[]> {
  const shared = ports.keys.source === '' ? [] : elements.filter(({ shares }) => (shares ?? 0) > 0);
  if (shared.length === 0) return elements;
  const counted = await ports.countListings(shared);
  const listed = new Set(counted.flatMap(({ element, listings }) => (listings > 0 ? [element.elementId] : [])));
  return elements.filter(({ elementId }) => !listed.has(elementId));
}

/** Shared elements and placeholders are of no source. */
function isOfAnotherSource(keys: RegistryKeys, element: MarkedElement): boolean {
  if (element.kind === 'node') return element.owner !== null && !keys.has(element.owner);
  return sourceOf(element.id) !== '' && !keys.has(element.id);
}

/**
 * An element with many sharers changes often, but a count that is wrong between two changes is
 * wrong.
 */
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
        reason: 'Its share count is wrong.',
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
    "The node is a copy, or lost its label or key: it has outgraph's marks, but no label of outgraph's nodes. " +
    'A repair ignores it: remove its properties that start with _outgraph.';
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
      ? 'No aggregate lists the node, and it has no relationship.'
      : 'The graph does not know the aggregate that owns the node.';
  return { kind: 'unowned', aggregate: owner, element: name, reason };
}
