/** Values of the graph as JSON can hold them. */

/** The same value with each INTEGER as a number, or, where a number would not be exact, as its digits; and what JSON has no number for as a text. */
export function plainValues(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (Array.isArray(value)) return value.map(plainValues);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plainValues(member)]));
}
