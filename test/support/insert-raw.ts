/**
 * Inserts documents as bytes. MongoDB accepts what no driver would write, such as text that is not
 * UTF-8.
 */
import net from 'node:net';
import { BSON, type Db, type Document } from 'mongodb';

/** A text that is replaced by bytes that are not UTF-8. It has the same length as these bytes. */
export const wrongText = '\u{10FFFF}';

const written = Buffer.from(wrongText);
const wrong = Buffer.from([0xff, 0x78, 0x78, 0x78]);

/**
 * Sends `insert` as one command to a server without a password. Every `wrongText` in the documents
 * becomes bytes that are not UTF-8.
 *
 * @throws Error if the server refuses.
 */
export async function insertRaw(
  db: Db,
  collection: string,
  documents: readonly Document[],
  { bypassDocumentValidation = false } = {},
): Promise<void> {
  const command = BSON.serialize(
    {
      insert: collection,
      documents,
      bypassDocumentValidation,
      writeConcern: { w: 'majority' },
      $db: db.databaseName,
    },
    { ignoreUndefined: true },
  );
  const bytes = Buffer.from(command);
  for (let at = bytes.indexOf(written); at >= 0; at = bytes.indexOf(written, at)) wrong.copy(bytes, at);
  const { primary } = await db.client.db('admin').command({ hello: 1 });
  const answer = BSON.deserialize(await send(String(primary), bytes), { validation: { utf8: false } });
  if (answer.ok !== 1 || answer.writeErrors !== undefined) throw new Error(`Not inserted: ${JSON.stringify(answer)}`);
}

/**
 * Sends one OP_MSG and returns the response.
 * https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/#op_msg
 */
function send(address: string, body: Buffer): Promise<Uint8Array> {
  const headerBytes = 21;
  const header = Buffer.alloc(headerBytes);
  header.writeInt32LE(headerBytes + body.length, 0);
  header.writeInt32LE(1, 4);
  header.writeInt32LE(2013, 12);
  const [hostname = '', port] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname);
    let received = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4 || received.length < received.readInt32LE(0)) return;
      socket.destroy();
      resolve(received.subarray(headerBytes));
    });
    socket.write(Buffer.concat([header, body]));
  });
}
