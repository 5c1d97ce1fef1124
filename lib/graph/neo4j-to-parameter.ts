/**
 * Converts property values to the driver's: `bigint` already is an INTEGER and `number` a FLOAT; a
 * date becomes a zoned datetime in UTC.
 */
import { DateTime } from 'neo4j-driver';
import type { GraphProperties, GraphScalar, GraphValue } from '../contract/subgraph.ts';

/** A map of properties as a query parameter. */
export function toParameters(properties: GraphProperties): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, toParameter(value)]));
}

function toParameter(value: GraphValue): unknown {
  return Array.isArray(value) ? value.map(scalarParameter) : scalarParameter(value as GraphScalar);
}

function scalarParameter(value: GraphScalar): unknown {
  if (!(value instanceof Date)) return value;
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
