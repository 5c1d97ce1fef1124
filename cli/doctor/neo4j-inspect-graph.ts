/**
 * Collects facts for the doctor about Neo4j: server, user, outgraph's constraints and indexes, and
 * the form of the manifests.
 */
import type { Driver } from 'neo4j-driver';
import type { RegistryKeys } from '../../lib/contract/registry-keys.ts';
import { findProblems } from '../../lib/graph/neo4j-ensure-schema.ts';
import { findObstacles, obstaclesText } from '../../lib/graph/neo4j-find-obstacles.ts';
import { findIndexProblems, readIndexes } from '../../lib/graph/neo4j-indexes.ts';
import { read } from '../../lib/graph/neo4j-read.ts';
import { readGraphSchema } from '../../lib/graph/neo4j-schema.ts';
import type { AggregateCatalog } from '../../lib/projection/catalog.ts';
import { declaredIndexes, declaredNeeds } from '../../lib/set-up/neo4j-graph.ts';

export interface GraphServerFacts {
  readonly version: string;
  /** `community`, `enterprise`, or another name. */
  readonly edition: string;
  /** How far its clock is ahead of this machine's. */
  readonly clockAheadMillis: number;
}

/** @throws Fault `neo4j-unavailable`, `credentials-refused`, `permission-denied`. */
export async function readGraphServer(driver: Driver, database: string): Promise<GraphServerFacts> {
  const [kernel] = await read<{ version: string; edition: string }>(
    driver,
    database,
    "CALL dbms.components() YIELD name, versions, edition WHERE name = 'Neo4j Kernel' " +
      'RETURN versions[0] AS version, edition',
    {},
  );
  const before = Date.now();
  const [clock] = await read<{ now: bigint }>(driver, database, 'RETURN datetime.realtime().epochMillis AS now', {});
  const between = (before + Date.now()) / 2;
  return {
    version: kernel?.version ?? 'unknown',
    edition: kernel?.edition ?? 'unknown',
    clockAheadMillis: Number(clock?.now ?? between) - between,
  };
}

export interface GraphUserFacts {
  readonly user: string;
  /** Null if the edition has no roles. */
  readonly roles: readonly string[] | null;
  readonly mustChangePassword: boolean;
}

/**
 * Null without authentication. Needs no right.
 * https://neo4j.com/docs/operations-manual/5/authentication-authorization/manage-users/
 *
 * @throws Fault `neo4j-unavailable`.
 */
export async function readGraphUser(driver: Driver, database: string): Promise<GraphUserFacts | null> {
  const [row] = await read<{ user: string; roles: readonly string[] | null; mustChangePassword: boolean | null }>(
    driver,
    database,
    'SHOW CURRENT USER YIELD user, roles, passwordChangeRequired ' +
      'RETURN user, roles, passwordChangeRequired AS mustChangePassword',
    {},
  );
  return row === undefined ? null : { ...row, mustChangePassword: row.mustChangePassword === true };
}

/**
 * Problems of the constraints of the registry and of a catalog, as text. Creates nothing.
 *
 * @throws Fault `neo4j-unavailable`, `permission-denied`.
 */
export async function findConstraintProblems(
  driver: Driver,
  database: string,
  catalog: AggregateCatalog,
): Promise<readonly string[]> {
  const needs = declaredNeeds(catalog);
  const problems = findProblems(await readGraphSchema(driver, database), needs);
  if (problems.length === 0) return [];
  // Report the problems even if the user may not read the obstacles.
  const obstacles = await findObstacles(driver, database, needs).catch(() => []);
  return problems.map(({ message }, index) => (index === 0 ? `${message}${obstaclesText(obstacles)}` : message));
}

/**
 * Problems of the indexes that a catalog declares, as text. Creates nothing.
 *
 * @throws Fault `neo4j-unavailable`, `permission-denied`.
 */
export async function findDeclaredIndexProblems(
  driver: Driver,
  database: string,
  catalog: AggregateCatalog,
): Promise<readonly string[]> {
  const declared = declaredIndexes(catalog);
  if (declared.length === 0) return [];
  return findIndexProblems(await readIndexes(driver, database), declared).map(({ text }) => text);
}

/** One of outgraph's indexes, including those of its constraints. */
export interface GraphIndexFacts {
  readonly name: string;
  readonly state: string;
  readonly populationPercent: number;
}

/** @throws Fault `neo4j-unavailable`, `permission-denied`. */
export async function readGraphIndexes(driver: Driver, database: string): Promise<readonly GraphIndexFacts[]> {
  return read<{ name: string; state: string; populationPercent: number }>(
    driver,
    database,
    "SHOW INDEXES YIELD name, state, populationPercent WHERE name STARTS WITH 'outgraph_' " +
      'RETURN name, state, populationPercent ORDER BY name',
    {},
  );
}

/** Small enough to read quickly, however large the registry is. */
const sampledManifests = 1_000;

/**
 * The distinct first lines of some manifests of the source.
 *
 * @throws Fault `neo4j-unavailable`, `permission-denied`.
 */
export async function readManifestForms(
  driver: Driver,
  database: string,
  { range }: RegistryKeys,
): Promise<readonly string[]> {
  const rows = await read<{ form: string }>(
    driver,
    database,
    `MATCH (a:OutgraphAggregate) WHERE a.key > $after AND a.key < $end
     WITH a LIMIT ${sampledManifests} WHERE a.manifest IS NOT NULL
     RETURN DISTINCT split(a.manifest, '\\n')[0] AS form ORDER BY form`,
    { ...range },
  );
  return rows.map(({ form }) => form);
}
