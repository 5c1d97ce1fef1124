/** Reads the registry as a whole, for an operator: which aggregates of a type live in the graph, and up to which positions it knows them. */
import type { Driver, EagerResult } from 'neo4j-driver';
import { aggregateKey, splitAggregateKey } from '../contract/outbox-event.ts';
import type { Position } from '../contract/position.ts';
import { noBookmarks } from './connect.ts';
import { withNeo4jFaults } from './translate-error.ts';

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

/** The newest position of each of the named aggregates that the graph knows, live or deleted, by aggregate id. @throws Fault `neo4j-unavailable`. */
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

async function runListing(
  driver: Driver,
  database: string,
  statement: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<readonly ListedAggregate[]> {
  const { records } = await withNeo4jFaults(() =>
    driver.executeQuery<EagerResult<{ key: string; position: Position }>>(statement, parameters, {
      database,
      ...noBookmarks,
      routing: 'READ',
    }),
  );
  return records.map((record) => ({
    aggregateId: splitAggregateKey(record.get('key')).aggregateId,
    position: record.get('position'),
  }));
}
