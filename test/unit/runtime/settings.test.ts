import { describe, expect, it } from 'vitest';
import { isDataFault } from '../../../lib/contract/fault.ts';
import { mongodbUriProblem, neo4jUriProblem } from '../../../lib/runtime/address.ts';
import { parseReference } from '../../../lib/runtime/reference.ts';
import { consumerSettings, readSettings } from '../../../lib/runtime/settings.ts';

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
  });

  it.each([
    ['mongodb://db.example', /TLS/],
    ['mongodb://127.0.0.1,db.example', /TLS/],
    ['mongodb://127.0.0.1.example', /TLS/],
    ['mongodb://localhost.example', /TLS/],
    ['mongodb+srv://cluster.example/?tls=false', /TLS/],
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
  });

  it.each([
    ['bolt://graph.example', /\+s/],
    ['neo4j://localhost.example', /TLS/],
    ['neo4j+ssc://graph.example', /certificate/],
    ['neo4j+s://ada:word@graph.example', /NEO4J_USERNAME/],
    ['https://graph.example', /neo4j\+s/],
    ['graph.example', /neo4j\+s/],
  ])('%s is refused with advice', (uri, problem) => {
    expect(neo4jUriProblem(uri)).toMatch(problem);
  });
});
