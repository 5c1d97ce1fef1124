/** Reads what stands in Neo4j as a picture that compares with the model's, without outgraph's bookkeeping. */
import { DateTime, type Driver, type EagerResult } from 'neo4j-driver';
import type { GraphProperties, GraphScalar, GraphValue, KeyValue } from '../../lib/contract/subgraph.ts';
import { type GraphPicture, name, nodeText, numberEqual, relationshipText } from './expected-graph.ts';

/** Which labels name nodes, with the names of their key properties; nodes without any of them are not looked at. */
export type KeyNames = Readonly<Record<string, readonly string[]>>;

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
 * The nodes that have one of the labels of `keyNames`, and the relationships that go out from them; `only` restricts both to nodes that have these properties.
 */
export async function readGraph(
  driver: Driver,
  database: string,
  keyNames: KeyNames,
  only: Readonly<Record<string, string>> = {},
): Promise<GraphPicture> {
  const parameters = { labels: Object.keys(keyNames), only };
  const nodes = await driver.executeQuery<EagerResult<NodeRow>>(
    `MATCH (n) WHERE any(label IN labels(n) WHERE label IN $labels) AND all(property IN keys($only) WHERE n[property] = $only[property])
     RETURN labels(n) AS labels, properties(n) AS properties`,
    parameters,
    { database, routing: 'READ' },
  );
  const relationships = await driver.executeQuery<EagerResult<RelationshipRow>>(
    `MATCH (a)-[r]->(b) WHERE any(label IN labels(a) WHERE label IN $labels) AND all(property IN keys($only) WHERE a[property] = $only[property])
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
  return value as GraphScalar;
}
