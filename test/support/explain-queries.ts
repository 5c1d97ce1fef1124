/**
 * Reports how MongoDB executes the queries of an operation: each query is sent once more with
 * `explain`.
 */
import { type Db, type Document, MongoClient } from 'mongodb';

/** The work behind one query. */
export interface QueryWork {
  readonly command: string;
  /** The names of the indexes used, and the stages that read without one or sort in memory. */
  readonly indexes: readonly string[];
  readonly keys: number;
  readonly documents: number;
}

const explained = ['find', 'aggregate', 'update'];
/** Fields of the connection and the session, not of the query. */
const sessionFields = ['lsid', '$clusterTime', '$db', 'txnNumber', 'readConcern', 'writeConcern'];

/** Runs the operation on the database and explains every query it sent, in order. */
export async function explainQueries(
  mongodbUri: string,
  databaseName: string,
  run: (db: Db) => Promise<unknown>,
): Promise<readonly QueryWork[]> {
  const client = new MongoClient(mongodbUri, { monitorCommands: true });
  const sent: Document[] = [];
  client.on('commandStarted', ({ command }) => {
    if (explained.some((name) => name in command)) sent.push({ ...command });
  });
  try {
    const db = client.db(databaseName);
    await run(db);
    const queries = [...sent];
    return await Promise.all(queries.map((query) => explain(db, query)));
  } finally {
    await client.close();
  }
}

async function explain(db: Db, query: Document): Promise<QueryWork> {
  const plain = Object.fromEntries(Object.entries(query).filter(([field]) => !sessionFields.includes(field)));
  const answer = await db.command({ explain: plain, verbosity: 'executionStats' });
  const winner = allOf(answer, 'winningPlan');
  return {
    command: explained.find((name) => name in query) ?? '',
    indexes: [
      ...new Set([
        ...allOf(winner, 'indexName').map(String),
        ...allOf(winner, 'stage')
          .map(String)
          .filter((stage) => ['COLLSCAN', 'SORT'].includes(stage)),
      ]),
    ],
    keys: Math.max(...allOf(answer, 'totalKeysExamined').map(Number)),
    documents: Math.max(...allOf(answer, 'totalDocsExamined').map(Number)),
  };
}

/** All values of a field at any depth. */
function allOf(value: unknown, field: string): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [...(name === field ? [inner] : []), ...allOf(inner, field)]);
}
