/**
 * Identities and content hashes: one canonical text for what names an element and one for what it says, and short
 * hashes of both. The apply compares elements by these alone, so two values that differ in Neo4j must differ here:
 * every value carries its type.
 */
import { hash } from 'node:crypto';
import type {
  Endpoint,
  GraphProperties,
  GraphScalar,
  GraphValue,
  KeyValue,
  NamedEndpoint,
  SubgraphNode,
  SubgraphRelationship,
} from './subgraph.ts';

/**
 * The name of a node, the same for everyone who means it: label and typed key values in the order of their names, as
 * JSON.
 */
export function nodeIdentity(node: Endpoint): string {
  return JSON.stringify([node.label, canonicalProperties(node.key)]);
}

/** The label and key that `nodeIdentity` made a name of. */
export function readNodeIdentity(identity: string): NamedEndpoint {
  const [label, key] = JSON.parse(identity) as [string, [string, string | boolean][]];
  return { label, key: Object.fromEntries(key.map(([name, value]) => [name, readKeyValue(value)])), identity };
}

function readKeyValue(value: string | boolean): KeyValue {
  if (typeof value === 'boolean') return value;
  return value.startsWith('i') ? BigInt(value.slice(1)) : value.slice(1);
}

/** The name of a relationship within its aggregate, or among the shared ones: type, both ends, and its `key`. */
export function relationshipIdentity(relationship: SubgraphRelationship): string {
  const { type, from, to, key } = relationship;
  return JSON.stringify([type, from.identity, to.identity, key]);
}

/**
 * The id that finds a relationship again: short, because it stands in an index. An owned one is named within its
 * aggregate, a shared one by itself.
 */
export function relationshipId(relationship: SubgraphRelationship, owner: string): string {
  return shortHash(JSON.stringify([relationship.shared ? null : owner, relationshipIdentity(relationship)]));
}

/** What people and reports call a relationship. */
export function relationshipName(type: string, id: string): string {
  return `${type} ${id}`;
}

/** What a node says besides its name; equal contents mean that nothing needs to be written. */
export function nodeContent({ labels, properties }: Pick<SubgraphNode, 'labels' | 'properties'>): string {
  if (labels.length === 0 && isEmpty(properties)) return noContent;
  return contentHash(JSON.stringify([labels, canonicalProperties(properties)]));
}

/** What a relationship says besides its name. */
export function relationshipContent({ properties }: Pick<SubgraphRelationship, 'properties'>): string {
  return isEmpty(properties) ? noContent : contentHash(JSON.stringify(canonicalProperties(properties)));
}

const noContent = '-';

/** The first 96 bits of SHA-256: among a billion elements the chance of any collision is below 10⁻¹⁰. */
function shortHash(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 16);
}

/** The first 66 bits of SHA-256: only the old content of one element and its new one are ever compared. */
function contentHash(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 11);
}

function isEmpty(properties: GraphProperties): boolean {
  return Object.keys(properties).length === 0;
}

function canonicalProperties(properties: GraphProperties): unknown {
  return Object.keys(properties)
    .sort()
    .map((name) => [name, canonicalValue(properties[name] as GraphValue)]);
}

function canonicalValue(value: GraphValue): unknown {
  return Array.isArray(value) ? value.map(canonicalScalar) : canonicalScalar(value as GraphScalar);
}

function canonicalScalar(value: GraphScalar): string | boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return `s${value}`;
  if (typeof value === 'bigint') return `i${value}`;
  if (value instanceof Date) return `d${value.getTime()}`;
  return Object.is(value, -0) ? 'f-0' : `f${value}`;
}
