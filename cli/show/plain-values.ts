/** Converts a view to JSON without losing digits. */
import type { GraphProperties, GraphScalar } from '../../lib/contract/subgraph.ts';
import type { AggregateView, SubgraphView } from './aggregate-view.ts';

/**
 * Writes the graph's values as Extended JSON, relaxed if that is exact: `17`,
 * `{"$numberLong": "…"}`, `{"$date": "…"}`, and points as GeoJSON.
 */
export function plainView({ expected, standing, ...others }: AggregateView): Readonly<Record<string, unknown>> {
  return { ...others, expected: expected && plainSubgraph(expected), standing: plainSubgraph(standing) };
}

function plainSubgraph({ nodes, relationships }: SubgraphView) {
  const plain = <Element extends { readonly properties: GraphProperties }>(element: Element) => {
    return { ...element, properties: plainProperties(element.properties) };
  };
  return { nodes: nodes.map(plain), relationships: relationships.map(plain) };
}

export function plainProperties(properties: GraphProperties): Readonly<Record<string, unknown>> {
  const members = Object.entries(properties);
  return Object.fromEntries(
    members.map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(plainScalar) : plainScalar(value as GraphScalar),
    ]),
  );
}

/** Distinguishes an integral FLOAT from an INTEGER, as Neo4j does. */
function plainScalar(value: GraphScalar): unknown {
  if (typeof value === 'bigint')
    return Number.isSafeInteger(Number(value)) ? Number(value) : { $numberLong: String(value) };
  if (value instanceof Date) return { $date: value.toISOString() };
  if (typeof value === 'object') {
    const { longitude, latitude, altitude } = value;
    return { type: 'Point', coordinates: [longitude, latitude, ...(altitude === null ? [] : [altitude])] };
  }
  if (typeof value !== 'number' || (Number.isFinite(value) && !Number.isInteger(value))) return value;
  return { $numberDouble: Number.isInteger(value) ? `${Object.is(value, -0) ? '-0' : value}.0` : String(value) };
}
