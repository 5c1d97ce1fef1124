/**
 * A whole graph as data, including bookkeeping and constraints: read from one Neo4j and recreated
 * exactly in another.
 */
import { DateTime, type Driver, type EagerResult, type RecordShape } from 'neo4j-driver';

/** A value with its Neo4j type. Texts, booleans and lists of values are unchanged. */
type DumpedValue =
  | string
  | boolean
  | { readonly integer: string }
  | { readonly float: string }
  /** In UTC, to the nanosecond. */
  | { readonly datetime: string }
  | readonly DumpedValue[];

interface DumpedProperties {
  readonly [name: string]: DumpedValue;
}

/** The whole graph. `id` is valid only within the dump. */
export interface GraphDump {
  /** The statements that create the constraints and the other indexes. */
  readonly schema: readonly string[];
  readonly nodes: readonly {
    readonly id: number;
    readonly labels: readonly string[];
    readonly properties: DumpedProperties;
  }[];
  readonly relationships: readonly {
    readonly type: string;
    readonly from: number;
    readonly to: number;
    readonly properties: DumpedProperties;
  }[];
}

/** Reads the whole graph. */
export async function dumpGraph(driver: Driver): Promise<GraphDump> {
  const constraints = await rows<{ statement: string }>(
    driver,
    'SHOW CONSTRAINTS YIELD name, createStatement AS statement RETURN statement ORDER BY name',
  );
  const indexes = await rows<{ statement: string }>(
    driver,
    `SHOW INDEXES YIELD name, type, owningConstraint, createStatement AS statement
     WHERE owningConstraint IS NULL AND type <> 'LOOKUP' RETURN statement ORDER BY name`,
  );
  const nodes = await rows<{ id: string; labels: string[]; properties: Record<string, unknown> }>(
    driver,
    'MATCH (n) RETURN elementId(n) AS id, labels(n) AS labels, properties(n) AS properties ORDER BY id',
  );
  const relationships = await rows<{ type: string; from: string; to: string; properties: Record<string, unknown> }>(
    driver,
    `MATCH (a)-[r]->(b) RETURN type(r) AS type, elementId(a) AS from, elementId(b) AS to, properties(r) AS properties
     ORDER BY elementId(r)`,
  );
  const numbers = new Map(nodes.map(({ id }, index) => [id, index]));
  const number = (id: string) => numbers.get(id) ?? -1;
  return {
    schema: [...constraints, ...indexes].map(({ statement }) => statement),
    nodes: nodes.map(({ id, labels, properties }) => ({
      id: number(id),
      labels,
      properties: dumpProperties(properties),
    })),
    relationships: relationships.map(({ type, from, to, properties }) => ({
      type,
      from: number(from),
      to: number(to),
      properties: dumpProperties(properties),
    })),
  };
}

/** Empties the graph, including constraints and indexes, and recreates the dumped one. */
export async function loadGraph(driver: Driver, dump: GraphDump): Promise<void> {
  await emptyGraph(driver);
  for (const statement of dump.schema) await driver.executeQuery(statement);
  const ids = new Map<number, string>();
  for (const { id, labels, properties } of dump.nodes) {
    const [row] = await rows<{ id: string }>(
      driver,
      `CREATE (n${labels.map((label) => `:\`${label}\``).join('')}) SET n = $properties RETURN elementId(n) AS id`,
      {
        properties: readProperties(properties),
      },
    );
    ids.set(id, row?.id ?? '');
  }
  // The type is part of the statement, because with a parameter (`$($type)`), Neo4j 5.26.0 uses the
  // type of the first call for all.
  for (const { type, from, to, properties } of dump.relationships) {
    await driver.executeQuery(
      `MATCH (a), (b) WHERE elementId(a) = $from AND elementId(b) = $to
       CREATE (a)-[r:\`${type}\`]->(b) SET r = $properties`,
      { from: ids.get(from), to: ids.get(to), properties: readProperties(properties) },
    );
  }
}

/** Removes all data, constraints and indexes. */
export async function emptyGraph(driver: Driver): Promise<void> {
  await driver.executeQuery('MATCH (n) DETACH DELETE n');
  for (const { name } of await rows<{ name: string }>(driver, 'SHOW CONSTRAINTS YIELD name'))
    await driver.executeQuery(`DROP CONSTRAINT \`${name}\``);
  for (const { name } of await rows<{ name: string }>(driver, "SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP'"))
    await driver.executeQuery(`DROP INDEX \`${name}\``);
}

async function rows<Row extends RecordShape>(
  driver: Driver,
  statement: string,
  parameters: object = {},
): Promise<Row[]> {
  const { records } = await driver.executeQuery<EagerResult<Row>>(statement, parameters);
  return records.map((record) => record.toObject());
}

function dumpProperties(properties: Record<string, unknown>): DumpedProperties {
  const entries = Object.entries(properties).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([name, value]) => [name, dumpValue(value)]));
}

function dumpValue(value: unknown): DumpedValue {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return { integer: String(value) };
  if (typeof value === 'number') return { float: Object.is(value, -0) ? '-0' : String(value) };
  if (value instanceof DateTime) return { datetime: value.toString() };
  if (Array.isArray(value)) return value.map(dumpValue);
  throw new Error(`The graph contains a ${typeof value}, which outgraph does not write.`);
}

function readProperties(properties: DumpedProperties): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, readValue(value)]));
}

function readValue(value: DumpedValue): unknown {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (isList(value)) return value.map(readValue);
  if ('integer' in value) return BigInt(value.integer);
  if ('float' in value) return Number(value.float);
  return readDateTime(value.datetime);
}

function isList(value: DumpedValue): value is readonly DumpedValue[] {
  return Array.isArray(value);
}

/** Reads ISO 8601 in UTC. A JavaScript date would lose fractions of a millisecond. */
function readDateTime(text: string): DateTime<bigint> {
  const match = /^(\d+)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z$/.exec(text);
  if (match === null) throw new Error(`Not a date and time in UTC: ${text}`);
  const [year = 0n, month = 0n, day = 0n, hour = 0n, minute = 0n, second = 0n] = match.slice(1, 7).map(BigInt);
  const nanosecond = BigInt((match[7] ?? '').padEnd(9, '0'));
  return new DateTime(year, month, day, hour, minute, second, nanosecond, 0n);
}
