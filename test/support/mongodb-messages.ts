/**
 * MongoDB's commands on the wire, to stop at one. Messages are not compressed here, so they contain
 * a command's name and collection as BSON.
 */

/** https://bsonspec.org/spec.html */
function bsonText(field: string, value: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32LE(value.length + 1);
  return Buffer.concat([Buffer.from(`\u0002${field}\0`), length, Buffer.from(`${value}\0`)]);
}

/** Whether a client's bytes are this command on this collection and contain these texts. */
export function mongodbCommand(name: string, collection: string, ...texts: readonly string[]) {
  const command = bsonText(name, collection);
  return (bytes: Buffer) => bytes.includes(command) && texts.every((text) => bytes.includes(text));
}
