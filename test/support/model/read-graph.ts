/**
 * Reads the graph in Neo4j as a picture that can be compared with the model's, without bookkeeping.
 */
import { DateTime, type Driver, type EagerResult, isPoint } from 'neo4j-driver';
import type { GraphProperties, GraphScalar, GraphValue, KeyValue } from '../../../lib/contract/subgraph.ts';
import {
  type GraphPicture,
  name,
  nodeText,
  numberEqual,
  relationshipText,
} from '../../../lib/testing/expected-graph.ts';

/** The labels to read, with their key properties. Nodes without any of these labels are ignored. */
export type KeyNames = Readonly<Record<string, readonly string[]>>;

/** Nodes with one of these values in one of these properties. */
export interface NodeScope {
  readonly properties: readonly string[];
  readonly values: readonly string[];
}

interface NodeRow {
  readonly [field: string]: unknown;
  readonly labels: string[];
  readonly properties: Record<string, unknown>;
}

interface RelationshipRow {
  readonly [field: string]: unknown;
  readonly type: string;
  readonly properties: Record<string, unknown>;
  readonly from: NodeRow;
  readonly to: NodeRow;
}

/**
 * The nodes with one of the labels of `keyNames`, and the relationships between them. With a scope:
 * its nodes, their relationships, and the other endpoints of these.
 */
export async function readGraph(
  driver: Driver,
  database: string,
  keyNames: KeyNames,
  scope: NodeScope | null = null,
): Promise<GraphPicture> {
  const parameters = { labels: Object.keys(keyNames), ...scope };
  const isNamed = (node: string) => `any(label IN labels(${node}) WHERE label IN $labels)`;
  const isInside = (node: string) =>
    `${isNamed(node)} AND any(property IN $properties WHERE ${node}[property] IN $values)`;
  const isWanted =
    scope === null ? isNamed('n') : `${isInside('n')} OR EXISTS { MATCH (n)--(m) WHERE ${isInside('m')} }`;
  const areWanted = scope === null ? isNamed('a') : `(${isInside('a')}) OR (${isInside('b')})`;
  const nodes = await driver.executeQuery<EagerResult<NodeRow>>(
    `MATCH (n) WHERE ${isWanted} RETURN labels(n) AS labels, properties(n) AS properties`,
    parameters,
    { database, routing: 'READ' },
  );
  const relationships = await driver.executeQuery<EagerResult<RelationshipRow>>(
    `MATCH (a)-[r]->(b) WHERE ${areWanted}
     RETURN type(r) AS type, properties(r) AS properties,
       {labels: labels(a), properties: properties(a)} AS from, {labels: labels(b), properties: properties(b)} AS to`,
    parameters,
    { database, routing: 'READ' },
  );
  return {
    nodes: numberEqual(nodes.records.map((record) => nodePicture(record.toObject(), keyNames))),
    relationships: numberEqual(
      relationships.records.map((record) => {
        const { type, properties, from, to } = record.toObject();
        return relationshipText(
          type,
          endPicture(from, keyNames),
          endPicture(to, keyNames),
          withoutBookkeeping(properties),
        );
      }),
    ),
  };
}

function nodePicture(node: NodeRow, keyNames: KeyNames): string {
  const label = keyedLabel(node, keyNames);
  const others = node.labels.filter((other) => other !== label);
  return nodeText({ label, key: {} }, others, withoutBookkeeping(node.properties));
}

function endPicture(node: NodeRow, keyNames: KeyNames): string {
  const label = keyedLabel(node, keyNames);
  const properties = withoutBookkeeping(node.properties);
  const key = Object.fromEntries(
    (keyNames[label] ?? []).map((property) => [property, properties[property] as KeyValue]),
  );
  return name({ label, key });
}

function keyedLabel(node: NodeRow, keyNames: KeyNames): string {
  return node.labels.find((label) => label in keyNames) ?? 'unlabelled';
}

function withoutBookkeeping(properties: Record<string, unknown>): GraphProperties {
  const own = Object.entries(properties).filter(([property]) => !property.startsWith('_outgraph'));
  return Object.fromEntries(own.map(([property, value]) => [property, fromDriver(value)]));
}

function fromDriver(value: unknown): GraphValue {
  if (Array.isArray(value)) return value.map((element) => fromDriver(element) as GraphScalar);
  if (value instanceof DateTime) return new Date(value.toString());
  if (isPoint(value)) return { longitude: value.x, latitude: value.y, altitude: value.z ?? null };
  return value as GraphScalar;
}
