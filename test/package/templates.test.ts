/**
 * The CloudFormation template of everything that is deployed, as Serverless creates it from the
 * real `serverless.yml`.
 */
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { settingsOf } from '../../lib/runtime/settings.ts';
import { atlasPackaging, lint, type PackagedTemplate, packageTemplate, packagings } from './package-template.ts';
import { secretsInEnvironments, unencryptedStores, wideStatements } from './template-rules.ts';

describe.each(packagings)('the template of stage $stage $params', (packaging) => {
  let template: PackagedTemplate;
  beforeAll(async () => {
    template = await packageTemplate(packaging);
  });

  it('passes cfn-lint', async () => {
    expect(await lint(template.text)).toStrictEqual([]);
  });

  it('encrypts what it stores', () => {
    expect(Object.values(template.resources).filter(({ Type }) => Type === 'AWS::SQS::Queue').length).toBeGreaterThan(
      1,
    );
    expect(unencryptedStores(template.resources)).toStrictEqual([]);
  });

  it('allows no action on more resources than necessary', () => {
    expect(Object.values(template.resources).some(({ Type }) => Type === 'AWS::IAM::Role')).toBe(true);
    expect(wideStatements(template.resources)).toStrictEqual([]);
  });

  it('shows exactly its own alarms on its dashboard', () => {
    const { 'Fn::Sub': body } = template.resources.Dashboard?.Properties?.DashboardBody as {
      readonly 'Fn::Sub': string;
    };
    const { widgets } = JSON.parse(body) as {
      readonly widgets: readonly { properties: { alarms?: readonly string[] } }[];
    };
    const shown = widgets.flatMap(({ properties }) => properties.alarms ?? []).map((arn) => arn.split(':').at(-1));
    const alarms = Object.values(template.resources).filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
    expect(alarms.length).toBeGreaterThan(9);
    expect(shown.sort()).toStrictEqual(alarms.map(({ Properties }) => Properties?.AlarmName).sort());
  });

  it('repeats no failed run of a schedule or of the set-up, and runs none late', () => {
    const retries = Object.values(template.resources)
      .filter(({ Type }) => Type === 'AWS::Lambda::EventInvokeConfig')
      .map(({ Properties = {} }) => [
        JSON.stringify(Properties.FunctionName),
        Properties.MaximumRetryAttempts,
        Properties.MaximumEventAgeInSeconds,
      ]);
    const names = ['Publisher', 'SetUp', 'Sweep'].filter((name) => `${name}LambdaFunction` in template.resources);
    const expected = names.map((name) => [JSON.stringify({ Ref: `${name}LambdaFunction` }), 0, 60]);
    expect(retries.sort()).toStrictEqual(expected);
  });

  it('contains no secret in an environment', () => {
    expect(Object.values(template.resources).some(({ Type }) => Type === 'AWS::Lambda::Function')).toBe(true);
    expect(secretsInEnvironments(template.resources)).toStrictEqual([]);
  });
});

describe('the template with an Atlas Trigger as the ingress', () => {
  let resources: PackagedTemplate['resources'];
  beforeAll(async () => {
    ({ resources } = await packageTemplate(atlasPackaging));
  });
  const properties = (name: string) => resources[name]?.Properties;

  it("has the event source's bus and a rule to the queue, which accepts messages only from that rule", () => {
    const source = 'aws.partner/mongodb.com/stitch.trigger/0123456789abcdef01234567';
    expect(properties('EventBus')).toMatchObject({ Name: source, EventSourceName: source });
    expect(properties('PointerRule')).toMatchObject({
      EventBusName: { Ref: 'EventBus' },
      EventPattern: { source: [{ prefix: 'aws.partner/mongodb.com' }] },
      Targets: [{ Id: 'queue', Arn: { 'Fn::GetAtt': ['Queue', 'Arn'] } }],
    });
    expect(properties('PointerRule')?.Targets).toHaveLength(1);
    const policy = JSON.stringify(properties('QueuePolicy'));
    expect(policy).toContain('{"ArnEquals":{"aws:SourceArn":{"Fn::GetAtt":["PointerRule","Arn"]}}}');
  });

  it('has no part of a publisher', () => {
    expect(Object.keys(resources)).toContain('SweepLambdaFunction');
    expect(Object.keys(resources).filter((name) => /publisher|history/i.test(name))).toStrictEqual([]);
  });

  it('has an alarm on republished events, which canaries alone raise if the trigger is suspended', () => {
    expect(properties('EventsRepublished')).toMatchObject({
      AlarmName: 'outgraph-prod-events-republished',
      Namespace: 'Outgraph',
      MetricName: 'EventsRepublished',
      Dimensions: [{ Name: 'service', Value: 'outgraph-prod' }],
      Statistic: 'Sum',
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    });
    // One canary a minute.
    const { Period, Threshold } = properties('EventsRepublished') as { Period: number; Threshold: number };
    expect(Number(Threshold)).toBeLessThan(Number(Period) / 60 - 1);
    expect(properties('SweepEventsRuleSchedule1')).toMatchObject({ ScheduleExpression: 'rate(1 minute)' });
  });
});

describe('an invalid template', () => {
  it('does not pass cfn-lint', async () => {
    const queue = { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 'long' } };
    expect(await lint(JSON.stringify({ Resources: { Queue: queue } }))).not.toStrictEqual([]);
  });

  it('does not pass the rules for stores, permissions and secrets', () => {
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
  ])('of %s has every required setting, and none that it does not read', (name, schema) => {
    const { Variables } = template.resources[name]?.Properties?.Environment as {
      Variables: Readonly<Record<string, unknown>>;
    };
    const given = Object.keys(Variables).filter((variable) => !/^(POWERTOOLS_|NODE_OPTIONS$)/.test(variable));
    expect(given.filter((variable) => !(variable in schema.shape))).toStrictEqual([]);
    const required = Object.entries(schema.shape).filter(([, setting]) => !setting.safeParse(undefined).success);
    expect(required.map(([variable]) => variable).filter((variable) => !given.includes(variable))).toStrictEqual([]);
  });
});

it('reserves no concurrency by default, because a new account has ten at once and can reserve none', async () => {
  const reserved = async (stage: string) => {
    const { resources } = await packageTemplate({ stage, params: [] });
    const values = Object.values(resources).map(({ Properties }) => Properties?.ReservedConcurrentExecutions);
    return values.filter((value) => value !== undefined && !isDeepStrictEqual(value, { Ref: 'AWS::NoValue' }));
  };
  expect(await reserved('dev')).toStrictEqual([]);
  expect(await reserved('prod')).toStrictEqual([]);
  expect((await reserved('local')).length).toBe(3);
});

it('is not packaged for a region that was not given', async () => {
  await expect(packageTemplate({ stage: 'prod', params: [], inRegion: false })).rejects.toMatchObject({
    stdout: expect.stringContaining('Cannot resolve variable at "provider.region"'),
  });
});

describe('the parameters of a stage', () => {
  const functionOf = ({ resources }: PackagedTemplate, name: string) =>
    resources[`${name}LambdaFunction`]?.Properties as {
      readonly Timeout: number;
      readonly MemorySize: number;
      readonly Environment: { readonly Variables: Readonly<Record<string, string>> };
    };
  const tuned = packageTemplate.bind(null, {
    stage: 'prod',
    params: ['consumerMemoryMegabytes=2048', 'consumerTimeoutSeconds=90', 'batchSize=500', 'batchWindowSeconds=5'],
  });

  it.each([
    'Publisher',
    'Consumer',
    'Sweep',
    'SetUp',
  ])('give the heap of %s four fifths of its memory', async (name) => {
    for (const template of [await packageTemplate({ stage: 'prod', params: [] }), await tuned()]) {
      const { MemorySize, Environment } = functionOf(template, name);
      const heap = /--max-old-space-size=(\d+)/.exec(Environment.Variables.NODE_OPTIONS ?? '')?.[1];
      expect(Number(heap)).toBe(Math.floor(0.8 * MemorySize));
    }
  });

  it("make messages invisible for six of the consumer's time-outs and its window, or as long as is said", async () => {
    const timeoutOf = ({ resources }: PackagedTemplate) => resources.Queue?.Properties?.VisibilityTimeout;
    expect(timeoutOf(await tuned())).toBe(6 * 90 + 5);
    expect(timeoutOf(await packageTemplate({ stage: 'prod', params: ['visibilityTimeoutSeconds=400'] }))).toBe(400);
  });

  it('put source maps into the zip files of the stage dev only, and no bundle is larger than 2 MB', async () => {
    const prod = await packageTemplate({ stage: 'prod', params: [] });
    const dev = await packageTemplate({ stage: 'dev', params: [] });
    expect([...prod.zips.values()].map(({ hasSourceMaps }) => hasSourceMaps)).toStrictEqual([
      false,
      false,
      false,
      false,
    ]);
    expect([...dev.zips.values()].map(({ hasSourceMaps }) => hasSourceMaps)).toStrictEqual([true, true, true, true]);
    for (const { bytes } of prod.zips.values()) expect(bytes).toBeLessThan(2_000_000);
  });
});

it('an event that the bus cannot deliver goes to the dead-letter queue, which takes it from no one else', async () => {
  for (const packaging of packagings) {
    const { resources } = await packageTemplate(packaging);
    expect(resources.PointerRule?.Properties?.Targets).toMatchObject([
      { DeadLetterConfig: { Arn: { 'Fn::GetAtt': ['DeadLetterQueue', 'Arn'] } } },
    ]);
    expect(resources.DeadLetterQueuePolicy?.Properties?.PolicyDocument).toMatchObject({
      Statement: expect.arrayContaining([
        expect.objectContaining({
          Effect: 'Allow',
          Principal: { Service: 'events.amazonaws.com' },
          Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': ['PointerRule', 'Arn'] } } },
        }),
      ]),
    });
  }
});
