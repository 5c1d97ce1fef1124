/**
 * Converts property values that the driver reads (`bigint` is an INTEGER, `number` a FLOAT) to the
 * contract's values, without outgraph's own properties.
 */
import { DateTime } from 'neo4j-driver';
import { bookkeepingPrefix, type GraphProperties, type GraphScalar, type GraphValue } from '../contract/subgraph.ts';

/**
 * An element's properties without outgraph's own. A value of a type that outgraph never writes
 * becomes a text that equals none of outgraph's values.
 */
export function fromProperties(properties: Readonly<Record<string, unknown>>): GraphProperties {
  const others = Object.entries(properties).filter(([name]) => !name.startsWith(bookkeepingPrefix));
  return Object.fromEntries(others.map(([name, value]) => [name, fromProperty(value)]));
}

function fromProperty(value: unknown): GraphValue {
  return Array.isArray(value) ? value.map(fromScalar) : fromScalar(value);
}

function fromScalar(value: unknown): GraphScalar {
  if (value instanceof DateTime) return fromDateTime(value);
  if (typeof value === 'object') return `\u0000${value?.constructor.name}\u0000${String(value)}`;
  return value as GraphScalar;
}

/** Only a time in UTC with whole milliseconds can be one that outgraph wrote. */
function fromDateTime(value: DateTime): GraphScalar {
  const isOurs = Number(value.nanosecond) % 1_000_000 === 0 && Number(value.timeZoneOffsetSeconds ?? 0) === 0;
  return isOurs ? new Date(value.toString()) : `\u0000DateTime\u0000${value.toString()}`;
}
