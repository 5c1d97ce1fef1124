/** Reads the aggregates of a type, and their positions, from the registry for an operator. */
import type { Driver } from 'neo4j-driver';
import type { Position } from '../contract/position.ts';
import type { KeyRange, RegistryKeys } from '../contract/registry-keys.ts';
import { read } from './neo4j-read.ts';
import type { RegisteredAggregate } from './stored-graph.ts';

/** A page of the registry: live aggregates of a type, sorted by id. */
export interface AggregatePage {
  readonly aggregateType: string;
  /** Excludes aggregates with a later position. */
  readonly notAfter: Position;
  /** The last id of the previous page; empty for the first page. */
  readonly after: string;
  readonly limit: number;
}

/** An aggregate's entry in the registry. */
export interface ListedAggregate {
  readonly aggregateId: string;
  readonly position: Position;
}

// The keys of a type are next to each other in the registry's unique index.
const listStatement = `
MATCH (a:OutgraphAggregate)
WHERE a.key > $after AND a.key < $end AND a.deletedAt IS NULL AND a.position <= $notAfter
RETURN a.key AS key, a.position AS position
ORDER BY a.key LIMIT toInteger($limit)`;

const positionsStatement = `
UNWIND $keys AS key
MATCH (a:OutgraphAggregate {key: key})
RETURN key, a.position AS position`;

/** @throws Fault `neo4j-unavailable`. */
export async function listAggregates(
  driver: Driver,
  database: string,
  keys: RegistryKeys,
  { aggregateType, notAfter, after, limit }: AggregatePage,
): Promise<readonly ListedAggregate[]> {
  const parameters = { ...keys.rangeOf(aggregateType, after), notAfter, limit };
  return runListing(driver, database, keys, listStatement, parameters);
}

/**
 * Returns the newest position of each of the named aggregates that the graph knows, live or
 * deleted, by aggregate id.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export async function readAggregatePositions(
  driver: Driver,
  database: string,
  keys: RegistryKeys,
  aggregateType: string,
  aggregateIds: readonly string[],
): Promise<ReadonlyMap<string, Position>> {
  const named = aggregateIds.map((aggregateId) => keys.of({ aggregateType, aggregateId }));
  const listed = await runListing(driver, database, keys, positionsStatement, { keys: named });
  return new Map(listed.map(({ aggregateId, position }) => [aggregateId, position]));
}

const allStatement = `
MATCH (a:OutgraphAggregate)
WHERE a.key > $after AND a.key < $end AND a.deletedAt IS NULL AND a.position IS NOT NULL
RETURN a.key AS key, a.position AS position, a.manifest AS manifest, false AS deleted
ORDER BY a.key LIMIT toInteger($limit)`;

const changedStatement = `
MATCH (a:OutgraphAggregate)
WHERE a.position > $since AND a.key > $after AND a.key < $end AND a.deletedAt IS NULL
RETURN a.key AS key, a.position AS position, a.manifest AS manifest, false AS deleted
ORDER BY a.key LIMIT toInteger($limit)`;

const someStatement = `
UNWIND $keys AS key
MATCH (a:OutgraphAggregate {key: key})
RETURN key, a.position AS position, a.manifest AS manifest, a.deletedAt IS NOT NULL AS deleted`;

/**
 * Returns live aggregates of a range with their manifests, sorted by key.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export function listWithManifests(
  driver: Driver,
  database: string,
  range: KeyRange,
  limit: number,
): Promise<readonly RegisteredAggregate[]> {
  return read(driver, database, allStatement, { ...range, limit });
}

/**
 * The same, for aggregates with a position later than `since`.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export function listChangedSince(
  driver: Driver,
  database: string,
  page: KeyRange & { readonly since: Position; readonly limit: number },
): Promise<readonly RegisteredAggregate[]> {
  return read(driver, database, changedStatement, { ...page });
}

/**
 * Returns the registry's entries of the named aggregates, by key; unknown aggregates are absent.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export async function readRegistered(
  driver: Driver,
  database: string,
  keys: readonly string[],
): Promise<ReadonlyMap<string, RegisteredAggregate>> {
  const rows = await read<RegisteredAggregate>(driver, database, someStatement, { keys });
  return new Map(rows.map((row) => [row.key, row]));
}

const nextTypeStatement = `
MATCH (a:OutgraphAggregate)
WHERE a.key >= $from AND a.key < $end AND a.deletedAt IS NULL
RETURN a.key AS key
ORDER BY a.key LIMIT 1`;

/**
 * Returns the types of the source's live aggregates: one index look-up for each.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export async function listAggregateTypes(
  driver: Driver,
  database: string,
  keys: RegistryKeys,
): Promise<readonly string[]> {
  const types: string[] = [];
  const { after, end } = keys.range;
  // Starts after the key of the graph's binding to its outbox.
  for (let from = `${after} `; ; ) {
    const [row] = await read<{ key: string }>(driver, database, nextTypeStatement, { from, end });
    if (row === undefined) return types;
    const { aggregateType } = keys.split(row.key);
    types.push(aggregateType);
    from = keys.rangeOf(aggregateType).end;
  }
}

async function runListing(
  driver: Driver,
  database: string,
  keys: RegistryKeys,
  statement: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<readonly ListedAggregate[]> {
  const rows = await read<{ key: string; position: Position }>(driver, database, statement, parameters);
  return rows.map(({ key, position }) => ({ aggregateId: keys.split(key).aggregateId, position }));
}
