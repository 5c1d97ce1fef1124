/** A value of the graph as text that differs where the values differ: `"17"`, `17` and `17.0`. */
import type { GraphScalar, GraphValue } from '../../lib/contract/subgraph.ts';

export function valueText(value: GraphValue): string {
  return Array.isArray(value) ? `[${value.map(scalarText).join(', ')}]` : scalarText(value as GraphScalar);
}

function scalarText(value: GraphScalar): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'number' && Number.isInteger(value)) return `${Object.is(value, -0) ? '-0' : value}.0`;
  return String(value);
}
