/**
 * Converts property values to the driver's: `bigint` already is an INTEGER and `number` a FLOAT; a
 * date becomes a zoned datetime in UTC, and a point one of Neo4j's two reference systems of WGS-84.
 */
import { DateTime, Point } from 'neo4j-driver';
import type { GraphPoint, GraphProperties, GraphScalar, GraphValue } from '../contract/subgraph.ts';

/** A map of properties as a query parameter. */
export function toParameters(properties: GraphProperties): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, toParameter(value)]));
}

function toParameter(value: GraphValue): unknown {
  return Array.isArray(value) ? value.map(scalarParameter) : scalarParameter(value as GraphScalar);
}

function scalarParameter(value: GraphScalar): unknown {
  if (typeof value !== 'object') return value;
  if (!(value instanceof Date)) return toNeo4jPoint(value);
  return new DateTime(
    value.getUTCFullYear(),
    value.getUTCMonth() + 1,
    value.getUTCDate(),
    value.getUTCHours(),
    value.getUTCMinutes(),
    value.getUTCSeconds(),
    value.getUTCMilliseconds() * 1_000_000,
    0,
  );
}

/** https://neo4j.com/docs/cypher-manual/current/values-and-types/spatial/#spatial-values-crs */
export const wgs84 = { twoDimensions: 4326, threeDimensions: 4979 } as const;

function toNeo4jPoint({ longitude, latitude, altitude }: GraphPoint): Point<number> {
  return altitude === null
    ? new Point(wgs84.twoDimensions, longitude, latitude)
    : new Point(wgs84.threeDimensions, longitude, latitude, altitude);
}
