/** Read options of the MongoDB driver with which no value changes. */

/**
 * Read options that keep every BSON type in payloads: `Int32`, `Long` and `Double` objects instead
 * of JavaScript numbers, which cannot distinguish 1.0 from 1 and lose precision beyond 2^53.
 */
export const exactTypes = {
  promoteValues: false,
  promoteLongs: false,
  promoteBuffers: false,
  bsonRegExp: true,
} as const;

/** The same for documents with invalid UTF-8: U+FFFD replaces the invalid bytes. */
export const lenientTypes = { ...exactTypes, validation: { utf8: false } } as const;
