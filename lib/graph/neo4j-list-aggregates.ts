/**
 * Reads the registry as a whole, for an operator: which aggregates of a type live in the graph, and up to which
 * positions it knows them.
 */
import type { Driver } from 'neo4j-driver';
import { aggregateKey, splitAggregateKey } from '../contract/outbox-event.ts';
import type { Position } from '../contract/position.ts';
import { read } from './neo4j-read.ts';
import type { RegisteredAggregate } from './standing-graph.ts';

/** A part of the registry: live aggregates of a type, in the order of their ids. */
export interface AggregatePage {
  readonly aggregateType: string;
  /** Only those whose newest position is not later. */
  readonly notAfter: Position;
  /** The last id of the part before; the empty text at the beginning. */
  readonly after: string;
  readonly limit: number;
}

/** What the registry says of an aggregate. */
export interface ListedAggregate {
  readonly aggregateId: string;
  readonly position: Position;
}

// The keys of a type stand between "type:" and "type;", in the registry's unique index.
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
  { aggregateType, notAfter, after, limit }: AggregatePage,
): Promise<readonly ListedAggregate[]> {
  const parameters = { after: `${aggregateType}:${after}`, end: `${aggregateType};`, notAfter, limit };
  return runListing(driver, database, listStatement, parameters);
}

/**
 * The newest position of each of the named aggregates that the graph knows, live or deleted, by aggregate id.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export async function readAggregatePositions(
  driver: Driver,
  database: string,
  aggregateType: string,
  aggregateIds: readonly string[],
): Promise<ReadonlyMap<string, Position>> {
  const keys = aggregateIds.map((aggregateId) => aggregateKey({ aggregateType, aggregateId }));
  const listed = await runListing(driver, database, positionsStatement, { keys });
  return new Map(listed.map(({ aggregateId, position }) => [aggregateId, position]));
}

const allStatement = `
MATCH (a:OutgraphAggregate)
WHERE a.key > $after AND a.deletedAt IS NULL
RETURN a.key AS key, a.position AS position, a.manifest AS manifest, false AS deleted
ORDER BY a.key LIMIT toInteger($limit)`;

const changedStatement = `
MATCH (a:OutgraphAggregate)
WHERE a.position > $since AND a.key > $after AND a.deletedAt IS NULL
RETURN a.key AS key, a.position AS position, a.manifest AS manifest, false AS deleted
ORDER BY a.key LIMIT toInteger($limit)`;

const someStatement = `
UNWIND $keys AS key
MATCH (a:OutgraphAggregate {key: key})
RETURN key, a.position AS position, a.manifest AS manifest, a.deletedAt IS NOT NULL AS deleted`;

/** Live aggregates of all types with what they list, in the order of their keys. @throws Fault `neo4j-unavailable`. */
export function listWithManifests(
  driver: Driver,
  database: string,
  after: string,
  limit: number,
): Promise<readonly RegisteredAggregate[]> {
  return read(driver, database, allStatement, { after, limit });
}

/** The same, of those whose position is later. @throws Fault `neo4j-unavailable`. */
export function listChangedSince(
  driver: Driver,
  database: string,
  page: { readonly since: Position; readonly after: string; readonly limit: number },
): Promise<readonly RegisteredAggregate[]> {
  return read(driver, database, changedStatement, page);
}

/**
 * What the registry says of the aggregates, by key; those that it does not know are left out.
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
WHERE a.key >= $from AND a.deletedAt IS NULL
RETURN a.key AS key
ORDER BY a.key LIMIT 1`;

/** The types of live aggregates: one look into the registry's index for each. @throws Fault `neo4j-unavailable`. */
export async function listAggregateTypes(driver: Driver, database: string): Promise<readonly string[]> {
  const types: string[] = [];
  // After the empty key, which is that of the graph's outbox.
  for (let from = ' '; ; ) {
    const [row] = await read<{ key: string }>(driver, database, nextTypeStatement, { from });
    if (row === undefined) return types;
    const { aggregateType } = splitAggregateKey(row.key);
    types.push(aggregateType);
    from = `${aggregateType};`;
  }
}

async function runListing(
  driver: Driver,
  database: string,
  statement: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<readonly ListedAggregate[]> {
  const rows = await read<{ key: string; position: Position }>(driver, database, statement, parameters);
  return rows.map(({ key, position }) => ({ aggregateId: splitAggregateKey(key).aggregateId, position }));
}
