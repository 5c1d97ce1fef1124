/** The policy of the role that deploys, against the types of resources that the templates have. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../tools/local/paths.ts';
import { packageTemplate, packagings } from './package-template.ts';

/** What CloudFormation calls to create, read or update, and delete a resource of a type. */
const neededBy: Readonly<Record<string, readonly string[]>> = {
  'AWS::CloudFormation::CustomResource': ['lambda:InvokeFunction'],
  'AWS::CloudWatch::Alarm': ['cloudwatch:PutMetricAlarm', 'cloudwatch:DescribeAlarms', 'cloudwatch:DeleteAlarms'],
  'AWS::CloudWatch::Dashboard': ['cloudwatch:PutDashboard', 'cloudwatch:GetDashboard', 'cloudwatch:DeleteDashboards'],
  'AWS::Events::Archive': ['events:CreateArchive', 'events:UpdateArchive', 'events:DeleteArchive'],
  'AWS::Events::EventBus': ['events:CreateEventBus', 'events:DescribeEventBus', 'events:DeleteEventBus'],
  'AWS::Events::Rule': [
    'events:PutRule',
    'events:DescribeRule',
    'events:DeleteRule',
    'events:PutTargets',
    'events:RemoveTargets',
  ],
  'AWS::IAM::Role': [
    'iam:CreateRole',
    'iam:GetRole',
    'iam:DeleteRole',
    'iam:PutRolePolicy',
    'iam:DeleteRolePolicy',
    'iam:PassRole',
  ],
  'AWS::Lambda::EventInvokeConfig': [
    'lambda:PutFunctionEventInvokeConfig',
    'lambda:GetFunctionEventInvokeConfig',
    'lambda:DeleteFunctionEventInvokeConfig',
  ],
  'AWS::Lambda::EventSourceMapping': [
    'lambda:CreateEventSourceMapping',
    'lambda:UpdateEventSourceMapping',
    'lambda:DeleteEventSourceMapping',
  ],
  'AWS::Lambda::Function': [
    'lambda:CreateFunction',
    'lambda:GetFunction',
    'lambda:UpdateFunctionCode',
    'lambda:UpdateFunctionConfiguration',
    'lambda:DeleteFunction',
  ],
  'AWS::Lambda::Permission': ['lambda:AddPermission', 'lambda:GetPolicy', 'lambda:RemovePermission'],
  'AWS::Logs::LogGroup': ['logs:CreateLogGroup', 'logs:PutRetentionPolicy', 'logs:DeleteLogGroup'],
  'AWS::S3::Bucket': ['s3:CreateBucket', 's3:PutEncryptionConfiguration', 's3:DeleteBucket'],
  'AWS::S3::BucketPolicy': ['s3:PutBucketPolicy', 's3:GetBucketPolicy', 's3:DeleteBucketPolicy'],
  'AWS::SNS::Topic': ['sns:CreateTopic', 'sns:GetTopicAttributes', 'sns:DeleteTopic'],
  'AWS::SQS::Queue': ['sqs:CreateQueue', 'sqs:GetQueueAttributes', 'sqs:SetQueueAttributes', 'sqs:DeleteQueue'],
  'AWS::SQS::QueuePolicy': ['sqs:SetQueueAttributes'],
};

interface Statement {
  readonly Sid: string;
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
}

const text = readFileSync(path.join(projectRoot, 'infra/permissions/deploy-policy.json'), 'utf8');
const { Statement: statements } = JSON.parse(text) as { readonly Statement: readonly Statement[] };
const allowed = new Set(statements.flatMap(({ Action }) => Action));

it.each(packagings)('allows what each resource of stage $stage $params needs', async (packaging) => {
  const { resources } = await packageTemplate(packaging);
  const types = [...new Set(Object.values(resources).map(({ Type }) => Type))];
  expect(types.length).toBeGreaterThan(10);
  expect(types.filter((type) => neededBy[type] === undefined)).toStrictEqual([]);
  expect(types.flatMap((type) => neededBy[type] ?? []).filter((action) => !allowed.has(action))).toStrictEqual([]);
});

it('names every action, and only resources of the service where AWS allows it', () => {
  expect([...allowed].filter((action) => action.includes('*'))).toStrictEqual([]);
  const wide = statements.flatMap(({ Sid, Resource }) =>
    [Resource].flat().flatMap((resource) => (resource.includes('SERVICE-') ? [] : [`${Sid}: ${resource}`])),
  );
  expect(wide).toStrictEqual([
    'WithoutResource: *',
    'EventSourceMapping: arn:aws:lambda:REGION:ACCOUNT:event-source-mapping:*',
    'Events: arn:aws:events:REGION:ACCOUNT:event-bus/aws.partner/mongodb.com/*',
    'Events: arn:aws:events:REGION::event-source/aws.partner/mongodb.com/*',
    'Events: arn:aws:events:REGION:ACCOUNT:archive/*',
  ]);
});

it('fits into a managed policy of 6,144 characters without white space', () => {
  expect(text.replaceAll(/\s/g, '').length).toBeLessThan(6_000);
});
