/** Runs one read statement outside of the apply's transactions. */
import type { Driver, EagerResult, RecordShape } from 'neo4j-driver';
import { noBookmarks } from './neo4j-connect.ts';
import { withNeo4jFaults } from './neo4j-errors.ts';

/**
 * Returns the records as objects; `Row` is the statement's result.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export async function read<Row extends RecordShape>(
  driver: Driver,
  database: string,
  statement: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<readonly Row[]> {
  const { records } = await withNeo4jFaults(() =>
    driver.executeQuery<EagerResult<Row>>(statement, parameters, { database, ...noBookmarks, routing: 'READ' }),
  );
  return records.map((record) => record.toObject());
}

/** Runs a statement, inside or outside of a transaction. */
export type Query = <Row extends RecordShape>(
  statement: string,
  parameters: Readonly<Record<string, unknown>>,
) => Promise<readonly Row[]>;

/** Runs each statement in its own transaction. */
export function queryOf(driver: Driver, database: string): Query {
  return (statement, parameters) => read(driver, database, statement, parameters);
}
