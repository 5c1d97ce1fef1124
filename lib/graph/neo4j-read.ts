/** One statement that reads, outside of the apply's transactions. */
import type { Driver, EagerResult, RecordShape } from 'neo4j-driver';
import { noBookmarks } from './neo4j-connect.ts';
import { withNeo4jFaults } from './neo4j-errors.ts';

/** The records as objects; `Row` is what the statement returns. @throws Fault `neo4j-unavailable`. */
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

/** Runs a statement, outside of a transaction or in one. */
export type Query = <Row extends RecordShape>(
  statement: string,
  parameters: Readonly<Record<string, unknown>>,
) => Promise<readonly Row[]>;

/** Each statement by itself. */
export function queryOf(driver: Driver, database: string): Query {
  return (statement, parameters) => read(driver, database, statement, parameters);
}
