/**
 * Counts the aggregates that list elements, by their manifests. Reads the whole registry, so use it
 * only for `verify`.
 */
import type { Driver } from 'neo4j-driver';
import { sharedNodeLine } from '../../lib/graph/manifest.ts';
import type { KeyNames } from '../../lib/graph/neo4j-key-names.ts';
import { type Query, queryOf } from '../../lib/graph/neo4j-read.ts';
import { rereadElements } from '../../lib/graph/neo4j-read-elements.ts';
import type { CountedElement, MarkedElement } from '../../lib/graph/stored-graph.ts';

/**
 * The number of aggregates that list an element as owned (for relationships only) and as shared.
 */
export interface Listings {
  readonly owned: number;
  readonly shared: number;
}

// A shared node's line is the same in every manifest. A relationship's id is the third word of its
// line.
const statement = `
MATCH (a:OutgraphAggregate) WHERE a.deletedAt IS NULL
UNWIND split(a.manifest, '\\n') AS line
WITH line, left(line, 1) AS kind WHERE kind IN ['s', 'r', 't']
WITH kind, CASE kind WHEN 's' THEN line ELSE split(line, ' ')[2] END AS name
WHERE name IN $names
RETURN kind, name, count(*) AS listings`;

/** By `elementId`, including elements that no aggregate lists. */
export async function readListings(
  query: Query,
  elements: readonly MarkedElement[],
): Promise<ReadonlyMap<string, Listings>> {
  const names = elements.flatMap(namesOf);
  if (names.length === 0) return new Map();
  const rows = await query<{ kind: string; name: string; listings: bigint }>(statement, { names });
  const counts = new Map(rows.map(({ kind, name, listings }) => [`${kind}${name}`, Number(listings)]));
  return new Map(
    elements.map((element) => {
      const count = (kind: string) =>
        namesOf(element).reduce((sum, name) => sum + (counts.get(`${kind}${name}`) ?? 0), 0);
      return [element.elementId, { owned: count('r'), shared: count('s') + count('t') }];
    }),
  );
}

/** An element with many sharers changes often. */
const maxReads = 3;

/**
 * The elements that still exist, each with the number of aggregates that list it as shared. Omits
 * an element that changed during every count.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export async function countListings(
  driver: Driver,
  database: string,
  readKeyNames: () => Promise<KeyNames>,
  elements: readonly MarkedElement[],
): Promise<readonly CountedElement[]> {
  const keyNames = await readKeyNames();
  const query = queryOf(driver, database);
  const counted: CountedElement[] = [];
  let open = elements;
  for (let read = 0; read < maxReads && open.length > 0; read += 1) {
    const before = await rereadElements(query, keyNames, open);
    const listings = await readListings(query, before);
    const after = await rereadElements(query, keyNames, before);
    const sharesBefore = new Map(before.map(({ elementId, shares }) => [elementId, shares]));
    // A transaction that starts or stops listing an element also writes its count.
    const isUnchanged = ({ elementId, shares }: MarkedElement) => sharesBefore.get(elementId) === shares;
    for (const element of after.filter(isUnchanged))
      counted.push({ element, listings: listings.get(element.elementId)?.shared ?? 0 });
    open = after.filter((element) => !isUnchanged(element));
  }
  return counted;
}

function namesOf(element: MarkedElement): readonly string[] {
  return element.kind === 'relationship' ? [element.id] : element.identities.map(sharedNodeLine);
}
