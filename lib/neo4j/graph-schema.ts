/**
 * The constraints that the apply stands on: without a uniqueness constraint on a label's key, MERGE takes no lock, and two consumers
 * would make one node twice. They are declared by the set-up; for a label not seen before, the consumer makes them before its first apply.
 */
import type { Driver, EagerResult } from 'neo4j-driver';
import { Neo4jError } from 'neo4j-driver';
import pRetry from 'p-retry';
import type { GraphNeeds, SchemaProblem, SchemaProblems } from '../apply/graph-needs.ts';
import { registryLabel } from '../contract/subgraph.ts';
import { noBookmarks } from './connect.ts';
import { translateNeo4jError, withNeo4jFaults } from './translate-error.ts';

/** Uniqueness constraints as they stand: key property names (sorted) by label, and the types whose `_outgraphId` is unique. */
export interface GraphSchema {
  readonly labels: ReadonlyMap<string, readonly (readonly string[])[]>;
  /** The key of a label that outgraph's own constraint says. */
  readonly keys: ReadonlyMap<string, readonly string[]>;
  readonly types: ReadonlySet<string>;
}

/** The names of outgraph's own constraints: one for each label and each type, so that two consumers cannot key a label differently. */
const keyConstraint = (label: string) => `outgraph_key_${label}`;
const idConstraint = (type: string) => `outgraph_rel_${type}`;

interface ConstraintRow {
  readonly name: string;
  readonly entityType: 'NODE' | 'RELATIONSHIP';
  readonly names: readonly string[];
  readonly properties: readonly string[];
}

/** Reads the uniqueness constraints of the graph. @throws Fault `neo4j-unavailable`. */
export async function readGraphSchema(driver: Driver, database: string): Promise<GraphSchema> {
  const statement = `SHOW CONSTRAINTS YIELD name, type, entityType, labelsOrTypes AS names, properties
    WHERE type IN ['UNIQUENESS', 'NODE_PROPERTY_UNIQUENESS', 'RELATIONSHIP_UNIQUENESS', 'RELATIONSHIP_PROPERTY_UNIQUENESS', 'NODE_KEY', 'RELATIONSHIP_KEY']
    RETURN name, entityType, names, properties`;
  const { records } = await withNeo4jFaults(() =>
    driver.executeQuery<EagerResult<ConstraintRow & Record<string, unknown>>>(
      statement,
      {},
      { database, ...noBookmarks },
    ),
  );
  const labels = new Map<string, (readonly string[])[]>();
  const keys = new Map<string, readonly string[]>();
  const types = new Set<string>();
  for (const row of records.map((record) => record.toObject())) {
    const [name = ''] = row.names;
    const properties = [...row.properties].sort();
    if (row.entityType === 'RELATIONSHIP') {
      if (properties.join() === '_outgraphId') types.add(name);
      continue;
    }
    labels.set(name, [...(labels.get(name) ?? []), properties]);
    if (row.name === keyConstraint(name)) keys.set(name, properties);
  }
  return { labels, keys, types };
}

/** Makes the constraints that are missing, and returns what could not be made, by label and by type. */
export async function createConstraints(driver: Driver, database: string, needs: GraphNeeds): Promise<SchemaProblems> {
  const labels = new Map<string, SchemaProblem>();
  const types = new Map<string, SchemaProblem>();
  for (const [label, names] of needs.labels) {
    const key = names.map((name) => `n.\`${name}\``).join(', ');
    const statement = `CREATE CONSTRAINT ${keyConstraint(label)} IF NOT EXISTS FOR (n:\`${label}\`) REQUIRE (${key}) IS UNIQUE`;
    const reason = await tryToCreate(driver, database, statement);
    if (reason !== undefined) {
      labels.set(label, {
        code: 'label-not-declared',
        message: `The label ${label} has no uniqueness constraint on (${names.join(', ')}) and none could be made: ${reason}.`,
      });
    }
  }
  for (const type of needs.types) {
    const statement = `CREATE CONSTRAINT ${idConstraint(type)} IF NOT EXISTS FOR ()-[r:\`${type}\`]-() REQUIRE r._outgraphId IS UNIQUE`;
    const reason = await tryToCreate(driver, database, statement);
    if (reason !== undefined) {
      types.set(type, {
        code: 'type-not-declared',
        message: `The relationship type ${type} has no uniqueness constraint on _outgraphId and none could be made: ${reason}.`,
      });
    }
  }
  return { labels, types };
}

/** What the registry itself needs. */
export const registryNeeds: GraphNeeds = { labels: new Map([[registryLabel, ['key']]]), types: new Set() };

/**
 * Two transactions that make constraints can wait for each other in a way that Neo4j does not see as a deadlock: one holds the label's lock, the other's
 * index waits until all older transactions have ended. So each gives up after a while, and tries again.
 */
const creationTimeoutMillis = 3_000;
const creationRetries = { retries: 4, minTimeout: 50, factor: 3, randomize: true };

/** Errors of a creation that another one was in the way of; one that was ended half-way leaves its index for a moment. */
const passingCodes =
  /^Neo\.(TransientError\..*|ClientError\.Transaction\.(Terminated|LockClientStopped|TransactionTimedOut.*)|ClientError\.Schema\.Index(WithName)?AlreadyExists)$/;

/** Why a constraint cannot be made for good; undefined if it was made, or was there. */
async function tryToCreate(driver: Driver, database: string, statement: string): Promise<string | undefined> {
  try {
    await runSchemaStatement(driver, database, statement);
    return undefined;
  } catch (error) {
    const code = error instanceof Neo4jError ? error.code : '';
    if (code === 'Neo.ClientError.Security.Forbidden') return 'the consumer may not change the schema';
    if (
      code === 'Neo.ClientError.Schema.ConstraintCreationFailed' ||
      code === 'Neo.DatabaseError.Schema.ConstraintCreationFailed'
    ) {
      return 'the graph holds nodes that have the same key already';
    }
    if (/^Neo\.ClientError\.Schema\..*AlreadyExists$/.test(code)) {
      return 'an index or constraint of another kind is in its place';
    }
    throw translateNeo4jError(error);
  }
}

/** Runs a statement that changes the schema, again where another one was in its way. @throws the driver's error */
export async function runSchemaStatement(driver: Driver, database: string, statement: string): Promise<void> {
  const transactionConfig = { timeout: creationTimeoutMillis };
  try {
    await pRetry(() => driver.executeQuery(statement, {}, { database, ...noBookmarks, transactionConfig }), {
      ...creationRetries,
      shouldRetry: ({ error }) => error instanceof Neo4jError && passingCodes.test(error.code),
    });
  } catch (error) {
    // IF NOT EXISTS looks before it waits: another one has made the very same meanwhile.
    if (error instanceof Neo4jError && error.code === 'Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists')
      return;
    throw error;
  }
}
