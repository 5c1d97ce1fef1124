import { beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, bundleFunctions } from '../../tools/bundle-functions.ts';

let bundles: readonly Bundle[];
beforeAll(async () => {
  bundles = await bundleFunctions('.');
}, 60_000);

/** The drivers and SDK clients that a function may include. */
const clients = ['mongodb', 'neo4j-driver', '@aws-sdk/client-eventbridge', '@aws-sdk/client-sqs'];

describe('the bundle of a function', () => {
  it.each([
    ['publisher', ['mongodb', '@aws-sdk/client-eventbridge']],
    ['consumer', ['mongodb', 'neo4j-driver', '@aws-sdk/client-sqs']],
    ['sweep', ['mongodb', 'neo4j-driver', '@aws-sdk/client-sqs']],
    ['setUp', ['mongodb', 'neo4j-driver']],
  ])('includes no driver or SDK client that it does not use: %s', (name, used) => {
    const bundle = bundles.find((one) => one.name === name);
    expect(clients.filter((client) => bundle?.packages.has(client)).sort()).toStrictEqual([...used].sort());
  });

  it('exists for every function of serverless.yml', () => {
    expect(bundles.map(({ name }) => name).sort()).toStrictEqual(['consumer', 'publisher', 'setUp', 'sweep']);
  });
});
