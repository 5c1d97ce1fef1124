import {
  Int32,
  MongoMissingDependencyError,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';
import { describe, expect, it } from 'vitest';
import { isDataFault } from '../../../lib/contract/fault.ts';
import { translateMongodbError } from '../../../lib/outbox/mongodb-errors.ts';

const server = (code: number, message: string) => new MongoServerError({ code, message });
const denied = 'not authorized on shop to execute command { insert: "outbox", documents: [ { secret: "s3cret" } ] }';
const removed = 'command find requires authentication';
const atlasDenied = 'user is not allowed to do action [insert] on [shop.outbox]';

/** The error that the driver throws if it does not promote values. */
function exactTypes(error: MongoServerError): MongoServerError {
  return Object.assign(error, { code: new Int32(Number(error.code)) });
}

/**
 * The error that the driver throws if it can select no server: it contains each server's own error.
 */
function notChosen(error: Error): MongoServerSelectionError {
  const reason = { servers: new Map([['db.example:27017', { error }]]) };
  // @ts-expect-error only what is read of the driver's description
  return new MongoServerSelectionError('mongodb://me:s3cret@db.example refused', reason);
}

describe("MongoDB's refusals", () => {
  it.each([
    ['a wrong password', server(18, 'Authentication failed.')],
    ['a wrong password in Atlas', server(8000, 'bad auth : authentication failed')],
    ['a wrong password in a read that keeps every BSON type', exactTypes(server(18, 'Authentication failed.'))],
    ['a user that was removed while connected', server(13, removed)],
    ['a wrong password during server selection', notChosen(server(18, 'Authentication failed.'))],
    [
      'a handshake that fails because of a wrong password',
      new MongoNetworkError('reset', { cause: server(18, 's3cret') }),
    ],
    ['a mechanism that the server does not offer', server(334, 'Received authentication for mechanism s3cret')],
    [
      'a mechanism whose package is not installed',
      new MongoMissingDependencyError('s3cret', { dependencyName: 'aws4', cause: new Error('s3cret') }),
    ],
  ])('%s is credentials-refused, and retried', (_, error) => {
    const fault = translateMongodbError(error);
    expect(fault).toMatchObject({ code: 'credentials-refused', retryable: true, cause: error });
    expect(fault.message.includes('MONGODB_URI')).toBe(true);
    expect(isDataFault(fault)).toBe(false);
    expect(fault.message).not.toContain('s3cret');
  });

  it.each([
    ['a command', server(13, denied), 'insert on outbox'],
    ['a command that keeps every BSON type', exactTypes(server(13, denied)), 'insert on outbox'],
    ['a command in Atlas', server(8000, atlasDenied), 'insert on shop.outbox'],
    [
      'a command without a collection',
      server(13, 'not authorized on a to execute command { listCollections: 1, s3cret'),
      'listCollections',
    ],
    ['an unnamed action', server(13, 'not authorized'), 'its part needs. Grant'],
  ])('%s that a user may not run is permission-denied, with its name, and retried', (_, error, named) => {
    const fault = translateMongodbError(error);
    expect(fault).toMatchObject({ code: 'permission-denied', retryable: true, cause: error });
    expect(fault.message.includes(named)).toBe(true);
    expect(isDataFault(fault)).toBe(false);
    expect(fault.message).not.toContain('s3cret');
  });

  it.each([
    ['a failover', server(10107, 'not primary')],
    ['another refusal of Atlas', server(8000, 'you are over your space quota')],
    ['an unreachable server', notChosen(new Error('connect ECONNREFUSED'))],
  ])('%s is mongodb-unavailable', (_, error) => {
    expect(translateMongodbError(error)).toMatchObject({ code: 'mongodb-unavailable', retryable: true });
  });
});
