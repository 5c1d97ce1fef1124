/**
 * Checks the result of a projection (or the payload of a `graph` event) against every rule of the
 * subgraph that needs no database, and converts its values to Neo4j's. Faults name the path of the
 * problem, never its value.
 */
import { bsonTypeOf } from '../contract/bson-type.ts';
import { Fault } from '../contract/fault.ts';
import { toGraphValue, toKeyValue } from '../contract/graph-value.ts';
import { nodeIdentity, relationshipIdentity } from '../contract/identity.ts';
import {
  bookkeepingPrefix,
  type Endpoint,
  type GraphProperties,
  type GraphValue,
  type KeyValue,
  type NamedEndpoint,
  namePattern,
  registryLabel,
  type Subgraph,
  type SubgraphNode,
  type SubgraphRelationship,
  subgraphMaxElements,
} from '../contract/subgraph.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Returns the checked subgraph.
 *
 * @throws a data fault: `subgraph-invalid`, `subgraph-too-large`, `element-duplicate`,
 * `name-invalid`, `key-invalid`, `key-mismatch` or `value-unsupported`. Its message begins with the
 * path of the problem.
 * @example
 * readSubgraph({ nodes: [{ label: 'User', key: { user_id: 'u1' } }], relationships: [] });
 */
export function readSubgraph(raw: unknown): Subgraph {
  const fields = readFields(raw, 'subgraph', ['nodes', 'relationships']);
  const rawNodes = readList(fields.nodes, 'nodes');
  const rawRelationships = readList(fields.relationships, 'relationships');
  const size = rawNodes.length + rawRelationships.length;
  if (size > subgraphMaxElements) {
    throw new Fault(
      'subgraph-too-large',
      `subgraph: ${size} elements, at most ${subgraphMaxElements} are ` +
        'allowed; move lists that grow without bound to aggregates of their own.',
    );
  }
  const nodes = rawNodes.map((node, index) => readNode(node, `nodes[${index}]`));
  const relationships = rawRelationships.map((item, index) => readRelationship(item, `relationships[${index}]`));
  refuseDuplicates(
    nodes.map(({ identity }) => identity),
    'nodes',
  );
  refuseDuplicates(relationships.map(relationshipIdentity), 'relationships');
  refuseMixedKeys(nodes, relationships);
  return { nodes, relationships };
}

function readNode(raw: unknown, path: string): SubgraphNode {
  const fields = readFields(raw, path, ['label', 'key', 'labels', 'properties', 'shared']);
  const endpoint = readNameAndKey(fields, path);
  const shared = readShared(fields, path);
  const labels = readLabels(fields.labels, `${path}.labels`, endpoint.label);
  const properties = readProperties(fields.properties, `${path}.properties`);
  for (const name of Object.keys(properties)) {
    if (Object.hasOwn(endpoint.key, name)) {
      throw new Fault(
        'subgraph-invalid',
        `${path}.properties.${name}: a key property may not appear again under properties.`,
      );
    }
  }
  if (shared && (labels.length > 0 || Object.keys(properties).length > 0)) {
    throw new Fault(
      'subgraph-invalid',
      `${path}: a shared node has neither labels nor properties; leave them out, or own the node.`,
    );
  }
  return { ...endpoint, shared, labels, properties };
}

function readRelationship(raw: unknown, path: string): SubgraphRelationship {
  const fields = readFields(raw, path, ['type', 'from', 'to', 'key', 'properties', 'shared']);
  const type = readName(fields.type, `${path}.type`);
  const from = readEndpoint(fields.from, `${path}.from`);
  const to = readEndpoint(fields.to, `${path}.to`);
  const key = fields.key ?? null;
  if (key !== null && typeof key !== 'string') throw new Fault('subgraph-invalid', `${path}.key: must be a string.`);
  const shared = readShared(fields, path);
  const properties = readProperties(fields.properties, `${path}.properties`);
  if (shared && Object.keys(properties).length > 0) {
    throw new Fault('subgraph-invalid', `${path}: a shared relationship has no properties; leave them out, or own it.`);
  }
  return { type, from, to, key, shared, properties };
}

function readEndpoint(raw: unknown, path: string): NamedEndpoint {
  return readNameAndKey(readFields(raw, path, ['label', 'key']), path);
}

function readNameAndKey(fields: Fields, path: string): NamedEndpoint {
  const label = readName(fields.label, `${path}.label`);
  if (label === registryLabel)
    throw new Fault('name-invalid', `${path}.label: ${registryLabel} is kept for outgraph itself.`);
  const key = readKey(fields.key, `${path}.key`);
  return { label, key, identity: nodeIdentity({ label, key }) };
}

function readKey(raw: unknown, path: string): Readonly<Record<string, KeyValue>> {
  const names = Object.keys(readObject(raw, path)).sort();
  if (names.length === 0) throw new Fault('key-invalid', `${path}: at least one key property is needed.`);
  const key: Record<string, KeyValue> = {};
  for (const name of names) {
    key[readName(name, `${path}.${name}`)] = toKeyValue((raw as Fields)[name], `${path}.${name}`);
  }
  return key;
}

function readLabels(raw: unknown, path: string, label: string): readonly string[] {
  const names = readList(raw, path).map((name, index) => {
    if (name === registryLabel)
      throw new Fault('name-invalid', `${path}[${index}]: ${registryLabel} is kept for outgraph itself.`);
    return readName(name, `${path}[${index}]`);
  });
  return [...new Set(names)].filter((name) => name !== label).sort();
}

function readProperties(raw: unknown, path: string): GraphProperties {
  if (raw === undefined || raw === null) return {};
  const properties: Record<string, GraphValue> = {};
  for (const [name, rawValue] of Object.entries(readObject(raw, path))) {
    const value = toGraphValue(rawValue, `${path}.${readName(name, `${path}.${name}`)}`);
    if (value !== undefined) properties[name] = value;
  }
  return properties;
}

function readShared(fields: Fields, path: string): boolean {
  const shared = fields.shared ?? false;
  if (typeof shared !== 'boolean') throw new Fault('subgraph-invalid', `${path}.shared: must be true or false.`);
  return shared;
}

function readName(raw: unknown, path: string): string {
  if (typeof raw !== 'string') throw new Fault('name-invalid', `${path}: a name must be a string.`);
  if (raw.startsWith(bookkeepingPrefix)) {
    throw new Fault(
      'name-invalid',
      `${path}: names that begin with ${bookkeepingPrefix} are kept for outgraph itself.`,
    );
  }
  if (!namePattern.test(raw)) {
    throw new Fault('name-invalid', `${path}: a name must match ${namePattern.source}.`);
  }
  return raw;
}

function readList(raw: unknown, path: string): readonly unknown[] {
  if (raw === undefined || raw === null) return [];
  if (!Array.isArray(raw)) throw new Fault('subgraph-invalid', `${path}: must be an array.`);
  return raw;
}

function readFields(raw: unknown, path: string, known: readonly string[]): Fields {
  const fields = readObject(raw, path);
  const unknown = Object.keys(fields).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new Fault('subgraph-invalid', `${path}.${unknown}: unknown field; allowed are ${known.join(', ')}.`);
  }
  return fields;
}

function readObject(raw: unknown, path: string): Fields {
  const isObject = typeof raw === 'object' && raw !== null && !Array.isArray(raw) && !(raw instanceof Date);
  if (!isObject || bsonTypeOf(raw) !== undefined) {
    throw new Fault('subgraph-invalid', `${path}: must be an object.`);
  }
  return raw as Fields;
}

function refuseDuplicates(identities: readonly string[], list: string): void {
  const seen = new Map<string, number>();
  for (const [index, identity] of identities.entries()) {
    const first = seen.get(identity);
    if (first !== undefined) {
      throw new Fault('element-duplicate', `${list}[${index}]: the same as ${list}[${first}]; list it once.`);
    }
    seen.set(identity, index);
  }
}

/** A label has the same key properties everywhere, including within one subgraph. */
function refuseMixedKeys(nodes: readonly Endpoint[], relationships: readonly SubgraphRelationship[]): void {
  const keyNames = new Map<string, string>();
  const check = (endpoint: Endpoint, path: string) => {
    const names = Object.keys(endpoint.key).join(', ');
    const first = keyNames.get(endpoint.label) ?? names;
    if (first !== names) {
      throw new Fault(
        'key-mismatch',
        `${path}.key: ${endpoint.label} is keyed by ${first} elsewhere in this subgraph, not by ${names}.`,
      );
    }
    keyNames.set(endpoint.label, first);
  };
  for (const [index, node] of nodes.entries()) check(node, `nodes[${index}]`);
  for (const [index, relationship] of relationships.entries()) {
    check(relationship.from, `relationships[${index}].from`);
    check(relationship.to, `relationships[${index}].to`);
  }
}
