/** Which BSON type an object stands for. */

/**
 * The name of the object's BSON class (`Int32`, `ObjectId`); undefined for one that is of none. Told by the mark that
 * the class carries and not by `instanceof`, because a writer's program may carry another copy of the package. A
 * document that has a field `_bsontype` of its own carries no mark, it is data like any other: a writer could pretend
 * to have sent an integer, and its event would throw where nobody expects it.
 */
export function bsonTypeOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Object.hasOwn(value, '_bsontype')) return undefined;
  const { _bsontype: mark } = value as { readonly _bsontype?: unknown };
  return typeof mark === 'string' ? mark : undefined;
}
