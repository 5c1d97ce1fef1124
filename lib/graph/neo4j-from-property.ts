/**
 * Converts property values that the driver reads (`bigint` is an INTEGER, `number` a FLOAT) to the
 * contract's values, without outgraph's own properties.
 */
import { DateTime, isPoint, type Point } from 'neo4j-driver';
import { bookkeepingPrefix, type GraphProperties, type GraphScalar, type GraphValue } from '../contract/subgraph.ts';
import { wgs84 } from './neo4j-to-parameter.ts';

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
  if (isPoint(value)) return fromPoint(value);
  if (typeof value === 'object') return `\u0000${value?.constructor.name}\u0000${String(value)}`;
  return value as GraphScalar;
}

/** Only a time in UTC with whole milliseconds can be one that outgraph wrote. */
function fromDateTime(value: DateTime): GraphScalar {
  const isOurs = Number(value.nanosecond) % 1_000_000 === 0 && Number(value.timeZoneOffsetSeconds ?? 0) === 0;
  return isOurs ? new Date(value.toString()) : `\u0000DateTime\u0000${value.toString()}`;
}

function fromPoint({ srid, x, y, z }: Point): GraphScalar {
  if (Number(srid) === wgs84.twoDimensions) return { longitude: x, latitude: y, altitude: null };
  if (Number(srid) === wgs84.threeDimensions) return { longitude: x, latitude: y, altitude: z as number };
  return `\u0000Point\u0000${srid}\u0000${[x, y, z].join()}`;
}
