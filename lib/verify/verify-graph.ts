/**
 * From the graph back to the documents: is there an aggregate without a document, or an element that no aggregate lists? All that the registry lists is kept in a few bytes for each element; what is not among it is looked
 * at again, against the aggregates that have changed meanwhile.
 */
import { decodeManifest, readLine } from '../apply/manifest.ts';
import { splitAggregateKey } from '../contract/outbox-event.ts';
import type { Position } from '../contract/position.ts';
import type { MarkedElement, RegisteredAggregate } from '../contract/standing-graph.ts';
import { relationshipName } from './compare-elements.ts';
import type { Difference } from './difference.ts';
import { TextSet } from './text-set.ts';
import type { VerifyPorts } from './verify-ports.ts';

const pageAggregates = 1_000;
const suspectsAtOnce = 1_000;

/** What the registry lists. */
export class ListedElements {
  readonly #set = new TextSet();
  readonly #keys = new TextSet();

  add({ key, manifest }: RegisteredAggregate): void {
    this.#keys.add(key);
    for (const line of decodeManifest(manifest)) {
      const element = readLine(line);
      if (element.kind === 'relationship') this.#set.add(`r ${element.id}`);
      else this.#set.add(element.shared ? `s ${element.endpoint.identity}` : `n ${key} ${element.endpoint.identity}`);
    }
  }

  /** Whether some aggregate lists the element, or, for a bare node, something holds it. */
  has(element: MarkedElement): boolean {
    if (element.kind === 'relationship') return this.#set.has(`r ${element.id}`);
    const { owner, shared, identities, lonely } = element;
    if (owner !== null) return identities.some((identity) => this.#set.has(`n ${owner} ${identity}`));
    if (shared) return identities.some((identity) => this.#set.has(`s ${identity}`));
    return !lonely;
  }

  knows(key: string): boolean {
    return this.#keys.has(key);
  }
}

/**
 * Which aggregates of these types have no document. `documents`: the keys of all aggregates whose document was seen; `listed`: where all that the registry lists is put, null if nobody asks for it. Returns how many are too new to tell.
 */
export async function verifyAggregates<Id>(
  ports: VerifyPorts<Id>,
  types: ReadonlySet<string>,
  documents: TextSet,
  listed: ListedElements | null,
  { notAfter, tell }: { readonly notAfter: Position; readonly tell: (difference: Difference) => void },
): Promise<number> {
  let tooNew = 0;
  let looked = 0;
  let after = '';
  for (;;) {
    const page = await ports.listAggregates(after, pageAggregates);
    const last = page.at(-1);
    if (last === undefined || ports.isInterrupted()) return tooNew;
    after = last.key;
    for (const aggregate of page) listed?.add(aggregate);
    const undocumented = page.filter(
      ({ key }) => types.has(splitAggregateKey(key).aggregateType) && !documents.has(key),
    );
    const old = undocumented.filter(({ position }) => position <= notAfter);
    tooNew += undocumented.length - old.length;
    for (const difference of await confirmGhosts(ports, old)) tell(difference);
    looked += page.length;
    ports.progress('aggregates', looked);
  }
}

async function confirmGhosts<Id>(
  ports: VerifyPorts<Id>,
  suspects: readonly RegisteredAggregate[],
): Promise<readonly Difference[]> {
  const differences: Difference[] = [];
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
      const kind = isAhead ? 'dead' : 'ghost';
      const reason = isAhead ? 'Its newest event is dead.' : 'The graph has the aggregate, and no document has it.';
      differences.push({ kind, aggregate: key, element: null, reason });
    }
  }
  return differences;
}

/** Which elements bear outgraph's marks, and nobody lists them. `since`: when the listing began. */
export async function verifyElements<Id>(
  ports: VerifyPorts<Id>,
  listed: ListedElements,
  { since, tell }: { readonly since: Position; readonly tell: (difference: Difference) => void },
): Promise<void> {
  let suspects: MarkedElement[] = [];
  let looked = 0;
  const confirm = async () => {
    for (const difference of await confirmUnlisted(ports, listed, suspects, since)) tell(difference);
    suspects = [];
  };
  for await (const elements of ports.walkElements()) {
    suspects.push(...elements.filter((element) => !listed.has(element)));
    looked += elements.length;
    ports.progress('elements', looked);
    if (suspects.length >= suspectsAtOnce) await confirm();
    if (ports.isInterrupted()) return;
  }
  await confirm();
}

async function confirmUnlisted<Id>(
  ports: VerifyPorts<Id>,
  listed: ListedElements,
  suspects: readonly MarkedElement[],
  since: Position,
): Promise<readonly Difference[]> {
  if (suspects.length === 0) return [];
  // First whether they still stand: what is taken away after that is on its way out, and comes up again at the next verification if it is not.
  const standing = await ports.lookAgain(suspects);
  for await (const changed of ports.listChanged(since)) for (const aggregate of changed) listed.add(aggregate);
  const unlisted = standing.filter((element) => !listed.has(element));
  const remaining = unlisted.length === 0 ? [] : await ports.lookAgain(unlisted);
  return remaining.map((element) => elementDifference(element, listed));
}

function elementDifference(element: MarkedElement, listed: ListedElements): Difference {
  if (element.kind === 'relationship') {
    const name = relationshipName(element.type, element.id);
    return { kind: 'unowned', aggregate: null, element: name, reason: 'No aggregate lists the relationship.' };
  }
  const { owner, identities, elementId } = element;
  const name = identities[0] ?? `node ${elementId}`;
  if (owner !== null && listed.knows(owner))
    return { kind: 'ghost', aggregate: owner, element: name, reason: 'The aggregate does not list the node.' };
  const reason =
    owner === null
      ? 'No aggregate lists the node, and no relationship holds it.'
      : 'The graph does not know the aggregate that owns the node.';
  return { kind: 'unowned', aggregate: owner, element: name, reason };
}
