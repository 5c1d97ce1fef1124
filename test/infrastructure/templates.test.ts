/** The CloudFormation template of everything that is deployed, as Serverless makes it of the real `serverless.yml`. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { settingsOf } from '../../lib/config/settings.ts';
import { lint, type PackagedTemplate, packageTemplate, packagings } from './package-template.ts';
import { secretsInEnvironments, unencryptedStores, wideStatements } from './template-rules.ts';

describe.each(packagings)('the template of stage $stage $params', (packaging) => {
  let template: PackagedTemplate;
  beforeAll(async () => {
    template = await packageTemplate(packaging);
  });

  it('has nothing that cfn-lint finds fault with', () => {
    expect(template.findings).toStrictEqual([]);
  });

  it('encrypts what it stores', () => {
    expect(Object.values(template.resources).filter(({ Type }) => Type === 'AWS::SQS::Queue').length).toBeGreaterThan(
      1,
    );
    expect(unencryptedStores(template.resources)).toStrictEqual([]);
  });

  it('allows no action on more than it must', () => {
    expect(Object.values(template.resources).some(({ Type }) => Type === 'AWS::IAM::Role')).toBe(true);
    expect(wideStatements(template.resources)).toStrictEqual([]);
  });

  it('holds no secret in an environment', () => {
    expect(Object.values(template.resources).some(({ Type }) => Type === 'AWS::Lambda::Function')).toBe(true);
    expect(secretsInEnvironments(template.resources)).toStrictEqual([]);
  });
});

describe('a template that is wrong', () => {
  it('is found fault with by cfn-lint', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'outgraph-lint-'));
    const file = path.join(folder, 'template.json');
    const queue = { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 'long' } };
    await writeFile(file, JSON.stringify({ Resources: { Queue: queue } }));
    expect(await lint(file)).not.toStrictEqual([]);
    await rm(folder, { recursive: true });
  });

  it('is found fault with for stores, permissions and secrets', () => {
    const Statement = [
      { Effect: 'Allow', Action: 'sqs:*', Resource: { 'Fn::GetAtt': ['Queue', 'Arn'] } },
      { Effect: 'Allow', Action: ['s3:GetObject'], Resource: '*' },
      { Effect: 'Deny', Action: 's3:*', Resource: '*' },
    ];
    const Variables = {
      MONGODB_URI: 'mongodb://db',
      OTHER: 'bolt://user:word@graph',
      PLAIN: 'x',
      NEO4J_PASSWORD: 'ssm:/x',
    };
    const resources = {
      Queue: { Type: 'AWS::SQS::Queue', Properties: {} },
      Role: { Type: 'AWS::IAM::Role', Properties: { Policies: [{ PolicyDocument: { Statement } }] } },
      Sweep: { Type: 'AWS::Lambda::Function', Properties: { Environment: { Variables } } },
    };
    expect(unencryptedStores(resources)).toStrictEqual(['Queue (AWS::SQS::Queue)']);
    expect(wideStatements(resources)).toStrictEqual(['Role: sqs:*', 'Role: "*"']);
    expect(secretsInEnvironments(resources)).toStrictEqual(['Sweep: MONGODB_URI', 'Sweep: OTHER']);
  });
});

describe('the environment of a function', () => {
  let template: PackagedTemplate;
  beforeAll(async () => {
    template = await packageTemplate({ stage: 'prod', params: [] });
  });

  it.each([
    ['PublisherLambdaFunction', settingsOf.publisher],
    ['ConsumerLambdaFunction', settingsOf.consumer],
    ['SweepLambdaFunction', settingsOf.sweep],
    ['SetUpLambdaFunction', settingsOf.setUp],
  ])('of %s has every setting that it must have, and none that it does not read', (name, schema) => {
    const { Variables } = template.resources[name]?.Properties?.Environment as {
      Variables: Readonly<Record<string, unknown>>;
    };
    const given = Object.keys(Variables).filter((variable) => !/^(POWERTOOLS_|NODE_OPTIONS$)/.test(variable));
    expect(given.filter((variable) => !(variable in schema.shape))).toStrictEqual([]);
    const required = Object.entries(schema.shape).filter(([, setting]) => !setting.safeParse(undefined).success);
    expect(required.map(([variable]) => variable).filter((variable) => !given.includes(variable))).toStrictEqual([]);
  });
});

it('the template of stage dev reserves no concurrency, because a new account has none to give; that of prod reserves it', async () => {
  const reserved = async (stage: string) => {
    const { resources } = await packageTemplate({ stage, params: [] });
    const values = Object.values(resources).map(({ Properties }) => Properties?.ReservedConcurrentExecutions);
    return values.filter((value) => value !== undefined && !isDeepStrictEqual(value, { Ref: 'AWS::NoValue' }));
  };
  expect(await reserved('dev')).toStrictEqual([]);
  expect((await reserved('prod')).length).toBe(3);
});
