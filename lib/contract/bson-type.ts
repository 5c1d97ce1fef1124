/** The BSON types of objects. */

/**
 * Returns the name of the object's BSON class (`Int32`, `ObjectId`), or undefined if it has none.
 * It reads the marker of the class instead of using `instanceof`, because a writer's program may
 * contain another copy of the package.
 *
 * A document with its own field `_bsontype` has no marker and is plain data. Otherwise a writer
 * could pretend to have sent an integer, and its event would throw in unexpected places.
 */
export function bsonTypeOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Object.hasOwn(value, '_bsontype')) return undefined;
  const { _bsontype: marker } = value as { readonly _bsontype?: unknown };
  return typeof marker === 'string' ? marker : undefined;
}
