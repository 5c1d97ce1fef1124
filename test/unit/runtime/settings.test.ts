import { describe, expect, it } from 'vitest';
import { isDataFault } from '../../../lib/contract/fault.ts';
import { isPlainAddress, mongodbUriProblem, neo4jUriProblem } from '../../../lib/runtime/address.ts';
import { parseReference } from '../../../lib/runtime/reference.ts';
import {
  consumerSettings,
  publisherSettings,
  queueConsumerSettings,
  readSettings,
  setUpFunctionSettings,
  setUpSettings,
  sweepSettings,
  workerSettings,
} from '../../../lib/runtime/settings.ts';

const good = { MONGODB_URI: 'mongodb://127.0.0.1:27017', NEO4J_URI: 'bolt://localhost' };

describe('settings', () => {
  it('that are invalid are all named at once, without their values', () => {
    const given = { MONGODB_URI: 'mongodb://ada:s3cret@db.example', NEO4J_PASSWORD: 'ssm:', CRASH_MAX_TRIALS: 'many' };
    const read = () => readSettings(consumerSettings, given);
    expect(read).toThrow(/MONGODB_URI[\s\S]*NEO4J_URI: is required[\s\S]*NEO4J_PASSWORD[\s\S]*CRASH_MAX_TRIALS/);
    expect(read).not.toThrow(/s3cret/);
    try {
      read();
    } catch (error) {
      expect(isDataFault(error)).toBe(false);
      expect(error).toMatchObject({ code: 'configuration-invalid' });
    }
  });

  it('can be references', () => {
    const given = { ...good, MONGODB_URI: 'ssm:/outgraph/prod/consumer/mongodb-uri' };
    expect(readSettings(consumerSettings, given).MONGODB_URI).toBe(given.MONGODB_URI);
  });
});

describe('a source', () => {
  it.each(['', 'shop', 'Shop-2.eu_west', 'a'.repeat(64)])('can be "%s"', (source) => {
    expect(readSettings(consumerSettings, { ...good, OUTGRAPH_SOURCE: source }).OUTGRAPH_SOURCE).toBe(source);
  });

  it('is empty by default', () => {
    expect(readSettings(workerSettings, good).OUTGRAPH_SOURCE).toBe('');
  });

  it.each([
    'a/b',
    'a:b',
    'ä',
    'a b',
    'a'.repeat(65),
  ])('"%s" is refused, and the error says what is allowed', (source) => {
    const read = () => readSettings(workerSettings, { ...good, OUTGRAPH_SOURCE: source });
    expect(read).toThrow(`OUTGRAPH_SOURCE: cannot be "${source}": use 1 to 64 letters, digits, "-", "_" and "."`);
  });
});

describe('a server on another machine without TLS', () => {
  const plain = { MONGODB_URI: 'mongodb://db:27017/?replicaSet=rs0', NEO4J_URI: 'bolt://graph:7687' };
  const allowed = { ...plain, OUTGRAPH_ALLOW_PLAIN_CONNECTIONS: '1' };

  it('is refused, with the setting that allows it', () => {
    expect(() => readSettings(workerSettings, plain)).toThrow(
      /MONGODB_URI: must use TLS .*OUTGRAPH_ALLOW_PLAIN_CONNECTIONS=1.*NEO4J_URI: must use TLS/,
    );
    const off = { ...plain, OUTGRAPH_ALLOW_PLAIN_CONNECTIONS: '0' };
    expect(() => readSettings(setUpSettings, off)).toThrow(/NEO4J_URI: must use TLS/);
  });

  it('is allowed by the setting, for the worker and the commands', () => {
    expect(readSettings(workerSettings, allowed)).toMatchObject(plain);
    expect(readSettings(setUpSettings, { ...allowed, OUTGRAPH_ALLOW_PLAIN_CONNECTIONS: 'true' })).toMatchObject(plain);
  });

  it('is refused for every function, whatever the setting', () => {
    const others = {
      EVENT_BUS_NAME: 'bus',
      QUEUE_URL: 'https://q.example',
      DEAD_LETTER_QUEUE_URL: 'https://d.example',
    };
    const given = { ...allowed, ...others };
    const readers = [
      () => readSettings(publisherSettings, given),
      () => readSettings(queueConsumerSettings, given),
      () => readSettings(sweepSettings, given),
      () => readSettings(setUpFunctionSettings, given),
    ];
    for (const read of readers) {
      expect(read).toThrow(/MONGODB_URI: must use TLS/);
      expect(read).not.toThrow(/ALLOW/);
    }
  });

  it('must still have a checked certificate if it has one', () => {
    const unchecked = { MONGODB_URI: 'mongodb://db/?tls=true&tlsInsecure=true', NEO4J_URI: 'bolt+ssc://graph' };
    expect(() => readSettings(workerSettings, { ...allowed, ...unchecked })).toThrow(/tlsInsecure.*certificate/);
  });

  it('is not allowed by a value that could mean anything', () => {
    expect(() => readSettings(workerSettings, { ...plain, OUTGRAPH_ALLOW_PLAIN_CONNECTIONS: 'ja' })).toThrow(
      /MONGODB_URI: must use TLS.*OUTGRAPH_ALLOW_PLAIN_CONNECTIONS: must be 1, or 0/,
    );
  });
});

describe('a reference', () => {
  it.each([
    ['ssm:/outgraph/prod/x', { service: 'ssm', name: '/outgraph/prod/x' }],
    ['secretsmanager:/outgraph/prod/x', { service: 'secretsmanager', name: '/outgraph/prod/x', field: null }],
    ['secretsmanager:outgraph#uri', { service: 'secretsmanager', name: 'outgraph', field: 'uri' }],
    ['ssm:', null],
    ['ssm:a b', null],
    ['secretsmanager:x#', null],
  ])('%s is parsed correctly', (text, reference) => {
    expect(parseReference(text)).toStrictEqual(reference);
  });
});

describe('a MongoDB address', () => {
  it.each([
    'mongodb://127.0.0.1:27017/?replicaSet=rs0',
    'mongodb://127.0.0.1:1,127.8.9.1:2,localhost:3',
    'mongodb://[::1]:27017',
    'mongodb+srv://ada:word@cluster.example',
    'mongodb://db.example/?tls=true',
    'mongodb://db.example/?ssl=true',
  ])('%s is encrypted or local', (uri) => {
    expect(mongodbUriProblem(uri)).toBeUndefined();
    expect(isPlainAddress(uri)).toBe(false);
  });

  it.each([
    'mongodb://db.example',
    'mongodb://127.0.0.1,db.example',
    'mongodb://127.0.0.1.example',
    'mongodb://localhost.example',
    'mongodb+srv://cluster.example/?tls=false',
    'mongodb+srv://cluster.example/?ssl=false',
  ])('%s is not encrypted', (uri) => {
    expect(isPlainAddress(uri)).toBe(true);
  });

  it.each([
    ['mongodb://db.example/?tls=true&tlsInsecure=true', /tlsInsecure/],
    ['mongodb://db.example/?tls=true&tlsAllowInvalidCertificates=true', /tlsAllowInvalidCertificates/],
    ['http://db.example', /mongodb:\/\//],
    ['', /mongodb:\/\//],
  ])('%s is refused with advice', (uri, problem) => {
    expect(mongodbUriProblem(uri)).toMatch(problem);
  });
});

describe('a Neo4j address', () => {
  it.each([
    'bolt://127.0.0.1:7687',
    'neo4j://localhost',
    'bolt://[::1]',
    'neo4j+s://x.databases.example',
    'bolt+s://graph.example:7687',
  ])('%s is encrypted or local', (uri) => {
    expect(neo4jUriProblem(uri)).toBeUndefined();
    expect(isPlainAddress(uri)).toBe(false);
  });

  it.each(['bolt://graph.example', 'neo4j://localhost.example'])('%s is not encrypted', (uri) => {
    expect(isPlainAddress(uri)).toBe(true);
  });

  it.each([
    ['neo4j+ssc://graph.example', /certificate/],
    ['neo4j+s://ada:word@graph.example', /NEO4J_USERNAME/],
    ['https://graph.example', /neo4j\+s/],
    ['graph.example', /neo4j\+s/],
  ])('%s is refused with advice', (uri, problem) => {
    expect(neo4jUriProblem(uri)).toMatch(problem);
  });
});
