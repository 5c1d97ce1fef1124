/**
 * Identities and content hashes: a canonical text of an element's name and one of its content, and
 * short hashes of both. The apply compares elements only by these, so two values that differ in
 * Neo4j must differ here. Every value therefore includes its type.
 */
import { hash } from 'node:crypto';
import { withSourceOf } from './registry-keys.ts';
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
 * Returns a node's identity: label and typed key values sorted by name, as JSON. It is equal for
 * every aggregate that lists the node.
 */
export function nodeIdentity(node: Endpoint): string {
  return JSON.stringify([node.label, canonicalProperties(node.key)]);
}

/** Parses the label and key of a node's identity. */
export function readNodeIdentity(identity: string): NamedEndpoint {
  const [label, key] = JSON.parse(identity) as [string, [string, string | boolean][]];
  return { label, key: Object.fromEntries(key.map(([name, value]) => [name, readKeyValue(value)])), identity };
}

function readKeyValue(value: string | boolean): KeyValue {
  if (typeof value === 'boolean') return value;
  return value.startsWith('i') ? BigInt(value.slice(1)) : value.slice(1);
}

/**
 * Returns a relationship's name within its aggregate, or among the shared ones: type, both ends and
 * `key`.
 */
export function relationshipIdentity(relationship: SubgraphRelationship): string {
  const { type, from, to, key } = relationship;
  return JSON.stringify([type, from.identity, to.identity, key]);
}

/**
 * Returns the id that finds a relationship again. It is short, because it is indexed. It includes
 * the aggregate of an owned relationship, and begins with its source; a shared one has neither.
 */
export function relationshipId(relationship: SubgraphRelationship, owner: string): string {
  if (relationship.shared) return shortHash(JSON.stringify([null, relationshipIdentity(relationship)]));
  return withSourceOf(owner, shortHash(JSON.stringify([owner, relationshipIdentity(relationship)])));
}

/** Returns the name of a relationship in reports. */
export function relationshipName(type: string, id: string): string {
  return `${type} ${id}`;
}

/**
 * Returns a node's content without its name. If contents are equal, nothing needs to be written.
 */
export function nodeContent({ labels, properties }: Pick<SubgraphNode, 'labels' | 'properties'>): string {
  if (labels.length === 0 && isEmpty(properties)) return noContent;
  return contentHash(JSON.stringify([labels, canonicalProperties(properties)]));
}

/** Returns a relationship's content without its name. */
export function relationshipContent({ properties }: Pick<SubgraphRelationship, 'properties'>): string {
  return isEmpty(properties) ? noContent : contentHash(JSON.stringify(canonicalProperties(properties)));
}

const noContent = '-';

/**
 * The first 96 bits of SHA-256. Among a billion elements, the probability of any collision is below
 * 10⁻¹⁰.
 */
function shortHash(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 16);
}

/**
 * The first 66 bits of SHA-256. Only the old and the new content of one element are ever compared.
 */
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
  if (typeof value === 'number') return `f${floatText(value)}`;
  const { longitude, latitude, altitude } = value;
  return `p${[longitude, latitude, ...(altitude === null ? [] : [altitude])].map(floatText).join(',')}`;
}

function floatText(value: number): string {
  return Object.is(value, -0) ? '-0' : `${value}`;
}
