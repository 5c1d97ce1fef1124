/** Formats elements of the graph in the notation of Cypher: `(:User {user_id: "ada"})`. */
import { readNodeIdentity } from '../../lib/contract/identity.ts';
import { escapeUnprintable } from '../../lib/contract/printable.ts';
import type { GraphPoint, GraphProperties, GraphScalar, GraphValue } from '../../lib/contract/subgraph.ts';

/** A node by its identity. A node that has lost its label or key in the graph has another name. */
export function nodeText(identity: string): string {
  if (!identity.startsWith('[')) return `(${escapeUnprintable(identity)})`;
  const { label, key } = readNodeIdentity(identity);
  return `(:${label} ${propertiesText(key)})`;
}

/**
 * `{name: "Ada", age: 36}`, in the order of the names.
 *
 * @param maxCharacters longer values are cut.
 */
export function propertiesText(properties: GraphProperties, maxCharacters = Number.POSITIVE_INFINITY): string {
  const texts = Object.entries(properties)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${name}: ${cut(valueText(value), maxCharacters)}`);
  return escapeUnprintable(`{${texts.join(', ')}}`);
}

function cut(text: string, maxCharacters: number): string {
  return text.length > maxCharacters ? `${text.slice(0, maxCharacters)}…` : text;
}

/** A relationship between two nodes. @param inner its properties as text, or empty. */
export function relationshipText(type: string, from: string, to: string, inner = ''): string {
  return `${from}-[:${type}${inner === '' ? '' : ` ${inner}`}]->${to}`;
}

/** The element that a difference is about; null if it is about a whole aggregate. */
export function elementText({
  element,
  ends,
}: {
  readonly element: string | null;
  readonly ends?: { readonly type: string; readonly from: string; readonly to: string };
}): string | null {
  if (ends !== undefined) return relationshipText(ends.type, nodeText(ends.from), nodeText(ends.to));
  return element?.startsWith('[') ? nodeText(element) : element && escapeUnprintable(element);
}

/** Text that differs if the values differ: `"17"`, `17` and `17.0`. */
export function valueText(value: GraphValue): string {
  return Array.isArray(value) ? `[${value.map(scalarText).join(', ')}]` : scalarText(value as GraphScalar);
}

function scalarText(value: GraphScalar): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object') return pointText(value);
  if (typeof value === 'number' && Number.isInteger(value)) return `${Object.is(value, -0) ? '-0' : value}.0`;
  return String(value);
}

/** As a query creates it: `point({longitude: 7.7, latitude: 45.1})`. Cypher calls altitude height. */
function pointText({ longitude, latitude, altitude }: GraphPoint): string {
  const height = altitude === null ? '' : `, height: ${altitude}`;
  return `point({longitude: ${longitude}, latitude: ${latitude}${height}})`;
}
