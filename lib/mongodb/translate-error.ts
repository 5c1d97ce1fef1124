/** Turns what the MongoDB driver throws into outgraph's fault: retried, and without the connection string that a driver's message may quote. */
import { MongoError } from 'mongodb';
import { Fault } from '../contract/fault.ts';

/** Runs a database operation; whatever the driver throws becomes a `mongodb-unavailable` fault. */
export async function withMongodbFaults<Result>(operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    throw translateMongodbError(error);
  }
}

/** The fault that `error` stands for; a fault stays what it is. */
export function translateMongodbError(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof MongoError) {
    const code = error.code === undefined ? '' : `, code ${error.code}`;
    return new Fault('mongodb-unavailable', `MongoDB did not answer as it should (${error.name}${code}).`, {
      cause: error,
    });
  }
  return new Fault(
    'unexpected',
    `Failed while working with MongoDB: ${error instanceof Error ? error.name : typeof error}.`,
    { cause: error },
  );
}
