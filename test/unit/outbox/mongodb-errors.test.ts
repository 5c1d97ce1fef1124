import { Int32, MongoNetworkError, MongoServerError, MongoServerSelectionError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { isDataFault } from '../../../lib/contract/fault.ts';
import { translateMongodbError } from '../../../lib/outbox/mongodb-errors.ts';

const server = (code: number, message: string) => new MongoServerError({ code, message });
const denied = 'not authorized on shop to execute command { insert: "outbox", documents: [ { secret: "s3cret" } ] }';
const removed = 'command find requires authentication';
const atlasDenied = 'user is not allowed to do action [insert] on [shop.outbox]';

/** As the driver throws where it promotes no values. */
function exactTypes(error: MongoServerError): MongoServerError {
  return Object.assign(error, { code: new Int32(Number(error.code)) });
}

/** As the driver throws when no server could be chosen: each server's own error is within. */
function notChosen(error: Error): MongoServerSelectionError {
  const reason = { servers: new Map([['db.example:27017', { error }]]) };
  // @ts-expect-error only what is read of the driver's description
  return new MongoServerSelectionError('mongodb://me:s3cret@db.example refused', reason);
}

describe("MongoDB's refusals", () => {
  it.each([
    ['a wrong password', server(18, 'Authentication failed.')],
    ['a wrong password, in the words of Atlas', server(8000, 'bad auth : authentication failed')],
    ['a wrong password, to a read that keeps every BSON type', exactTypes(server(18, 'Authentication failed.'))],
    ['a user that was removed while it was connected', server(13, removed)],
    ['a wrong password that no server could be chosen for', notChosen(server(18, 'Authentication failed.'))],
    ['a handshake that a wrong password broke', new MongoNetworkError('reset', { cause: server(18, 's3cret') })],
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
    ['a command, in the words of Atlas', server(8000, atlasDenied), 'insert on shop.outbox'],
    [
      'a command on no collection',
      server(13, 'not authorized on a to execute command { listCollections: 1, s3cret'),
      'listCollections',
    ],
    ['something that is not named', server(13, 'not authorized'), 'its part does. Grant'],
  ])('%s that a user may not run is permission-denied, which names it, and is retried', (_, error, named) => {
    const fault = translateMongodbError(error);
    expect(fault).toMatchObject({ code: 'permission-denied', retryable: true, cause: error });
    expect(fault.message.includes(named)).toBe(true);
    expect(isDataFault(fault)).toBe(false);
    expect(fault.message).not.toContain('s3cret');
  });

  it.each([
    ['a failover', server(10107, 'not primary')],
    ['another refusal of Atlas', server(8000, 'you are over your space quota')],
    ['a server that is away', notChosen(new Error('connect ECONNREFUSED'))],
  ])('%s is mongodb-unavailable', (_, error) => {
    expect(translateMongodbError(error)).toMatchObject({ code: 'mongodb-unavailable', retryable: true });
  });
});
