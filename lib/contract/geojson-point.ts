/** GeoJSON Points (RFC 7946) as property values: points in WGS-84, with two or three coordinates. */
import { bsonTypeOf } from './bson-type.ts';
import { Fault } from './fault.ts';
import type { GraphPoint } from './subgraph.ts';

const geometryTypes: ReadonlySet<unknown> = new Set([
  'Point',
  'MultiPoint',
  'LineString',
  'MultiLineString',
  'Polygon',
  'MultiPolygon',
  'GeometryCollection',
]);

const axes = [
  { name: 'longitude', limit: 180 },
  { name: 'latitude', limit: 90 },
  { name: 'altitude', limit: Number.MAX_VALUE },
] as const;

/** Whether the object is a geometry, of any type. */
export function isGeometry(raw: object): raw is { readonly type: string } {
  return geometryTypes.has((raw as { readonly type?: unknown }).type) && bsonTypeOf(raw) === undefined;
}

/**
 * Returns the point of a geometry.
 *
 * @throws Fault `value-unsupported` for another geometry, other fields, or coordinates that are no
 * point in WGS-84.
 */
export function toPoint(raw: { readonly type: string }, path: string): GraphPoint {
  if (raw.type !== 'Point') throw invalid(path, `a GeoJSON ${raw.type} cannot be a property value; use a Point`);
  const { coordinates, type: _, ...others } = raw as { readonly type: string; readonly coordinates?: unknown };
  const [other] = Object.keys(others);
  if (other !== undefined)
    throw invalid(path, `a GeoJSON Point with the field ${other} cannot be a property value; use type and coordinates`);
  const at = `${path}.coordinates`;
  if (!Array.isArray(coordinates) || coordinates.length < 2 || coordinates.length > 3)
    throw invalid(at, 'a GeoJSON Point has an array of two or three numbers: longitude, latitude and altitude');
  const [longitude, latitude, altitude = null] = coordinates.map((value, index) => toCoordinate(value, index, at));
  return { longitude, latitude, altitude } as GraphPoint;
}

function toCoordinate(raw: unknown, index: number, at: string): number {
  const { name, limit } = axes[index] as (typeof axes)[number];
  const isNumber = typeof raw === 'number' || ['Int32', 'Long', 'Double'].includes(bsonTypeOf(raw) ?? '');
  const value = isNumber ? Number((raw as { readonly value?: number }).value ?? raw) : Number.NaN;
  if (Math.abs(value) <= limit) return value;
  const range = limit === Number.MAX_VALUE ? 'a finite number' : `a number from -${limit} to ${limit}`;
  throw invalid(`${at}[${index}]`, `the ${name} of a GeoJSON Point must be ${range}`);
}

function invalid(path: string, what: string): Fault {
  return new Fault('value-unsupported', `${path}: ${what}.`);
}
