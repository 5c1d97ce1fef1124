/**
 * The position of an event: the MongoDB timestamp that the server assigned, as 16 lowercase
 * hexadecimal digits (eight for the seconds, eight for the increment). Comparing positions as
 * strings compares the unsigned 64-bit numbers. This holds after 2038 too, when the seconds no
 * longer fit a signed 32-bit integer.
 */
declare const positionBrand: unique symbol;

/** Sixteen lowercase hexadecimal digits; greater is later. Compare with `<` and `>`. */
export type Position = string & { readonly [positionBrand]: true };

/**
 * Creates a position from the unsigned 32-bit halves of a BSON timestamp: `t` (seconds since 1970)
 * and `i` (increment).
 */
export function toPosition(timestamp: { readonly t: number; readonly i: number }): Position {
  return `${hex8(timestamp.t)}${hex8(timestamp.i)}` as Position;
}

/** Splits a position into the two halves of a BSON `Timestamp`. */
export function fromPosition(position: Position): { readonly t: number; readonly i: number } {
  return { t: Number.parseInt(position.slice(0, 8), 16), i: Number.parseInt(position.slice(8), 16) };
}

/** Returns the time of a position by the MongoDB server's clock, in whole seconds. */
export function positionTime(position: Position): Date {
  return new Date(fromPosition(position).t * 1000);
}

function hex8(half: number): string {
  return (half >>> 0).toString(16).padStart(8, '0');
}
