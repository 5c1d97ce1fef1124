/** Inserts a document whose bytes no JavaScript driver would write: as writers in other languages may. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { BSON, type Db, type Document } from 'mongodb';

const opMsg = 2_013;

/** Every `§` in the document's texts becomes the byte 0xFF. It needs a server without a password. @throws Error with the server's answer. */
export async function insertDamaged(
  { client, databaseName }: Db,
  collection: string,
  document: Document,
): Promise<void> {
  const command = BSON.serialize({ insert: collection, documents: [document], $db: databaseName });
  const bytes = Buffer.from(command);
  // As long as the two bytes of the sign.
  for (let at = bytes.indexOf('§'); at !== -1; at = bytes.indexOf('§', at)) bytes.fill(0xff, at, at + 2);
  const header = Buffer.alloc(21);
  header.writeInt32LE(header.length + bytes.length, 0);
  header.writeInt32LE(1, 4);
  header.writeInt32LE(opMsg, 12);
  const { primary } = await client.db('admin').command({ hello: 1 });
  const [host = '', port] = String(primary).split(':');
  const socket = connect(Number(port), host);
  socket.write(Buffer.concat([header, bytes]));
  const [reply] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  const answer = BSON.deserialize(reply.subarray(header.length));
  if (answer.ok !== 1 || answer.writeErrors !== undefined) throw new Error(JSON.stringify(answer));
}
