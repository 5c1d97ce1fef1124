/** The stage that the checks examine: its names, its databases and the clients of AWS. */
import {
  CloudFormationClient,
  DescribeStackResourceCommand,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { IAMClient } from '@aws-sdk/client-iam';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SNSClient } from '@aws-sdk/client-sns';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { GraphAddress, OutboxAddress } from '../../lib/runtime/addresses.ts';
import { readStackOutputs } from '../local/stack-outputs.ts';

/** A number of events of a size. */
export interface Wave {
  readonly count: number;
  readonly megabytes: number;
}

export interface SmokeOptions {
  readonly stage: string;
  readonly region: string;
  /** The folder of `serverless.yml`. */
  readonly folder: string;
  /** As in its `serverless.yml`. */
  readonly service: string;
  /** Params of `serverless.yml`, as `name=value`. */
  readonly params: readonly string[];
  readonly waves: readonly Wave[];
  readonly idleSeconds: number;
  /** The stage exists: it is neither deployed nor removed. */
  readonly existing: boolean;
  /** LocalStack's address, if it is not AWS. */
  readonly endpoint: string | undefined;
  readonly databases: OutboxAddress & GraphAddress;
  /** Where the output of the deployments goes. */
  readonly logFile: string;
}

export interface SmokeStage extends SmokeOptions {
  /** `<service>-<stage>`: the name of the stack, and the prefix of what it deploys. */
  readonly name: string;
  /** Distinguishes the documents and messages of this run. */
  readonly run: string;
  readonly aws: ReturnType<typeof connect>;
}

export function createStage(options: SmokeOptions): SmokeStage {
  const run = `smoke-${Date.now().toString(36)}`;
  return { ...options, name: `${options.service}-${options.stage}`, run, aws: connect(options) };
}

/** Credentials come from the environment, in the SDK's usual order. */
function connect({ region, endpoint }: SmokeOptions) {
  const config = { region, ...(endpoint !== undefined && { endpoint }) };
  return {
    cloudformation: new CloudFormationClient(config),
    cloudwatch: new CloudWatchClient(config),
    events: new EventBridgeClient(config),
    iam: new IAMClient(config),
    // The sweep may run for almost a minute, and an invocation is not repeated.
    lambda: new LambdaClient({ ...config, maxAttempts: 1, requestHandler: { requestTimeout: 120_000 } }),
    logs: new CloudWatchLogsClient(config),
    // LocalStack has no host name for each bucket.
    s3: new S3Client({ ...config, forcePathStyle: endpoint !== undefined }),
    sns: new SNSClient(config),
    sqs: new SQSClient(config),
    sts: new STSClient(config),
  };
}

export function closeStage({ aws }: SmokeStage): void {
  for (const client of Object.values(aws)) client.destroy();
}

export const isLocalstack = ({ endpoint }: SmokeStage): boolean => endpoint !== undefined;

/** Whether its secrets are in Secrets Manager, and not in Parameter Store. */
export const usesSecretsManager = ({ params }: SmokeStage): boolean => params.includes('secretService=secretsmanager');

/** The account that pays. */
export async function readAccount({ aws }: SmokeStage): Promise<string> {
  return (await aws.sts.send(new GetCallerIdentityCommand({}))).Account ?? 'unknown';
}

/** The status of the stack, as CloudFormation names it; undefined if there is none. */
export async function readStackStatus({ aws, name }: SmokeStage): Promise<string | undefined> {
  try {
    const { Stacks = [] } = await aws.cloudformation.send(new DescribeStacksCommand({ StackName: name }));
    return Stacks[0]?.StackStatus;
  } catch (error) {
    if (error instanceof Error && error.name === 'ValidationError') return undefined;
    throw error;
  }
}

/** @throws StackError if the stack has no such output. */
export async function readOutput({ aws, name }: SmokeStage, key: string): Promise<string> {
  return (await readStackOutputs(aws.cloudformation, name))(key);
}

/** A resource of the stack by the name in its template: its physical id, and its status. */
export async function readResource({ aws, name }: SmokeStage, LogicalResourceId: string) {
  const command = new DescribeStackResourceCommand({ StackName: name, LogicalResourceId });
  const { StackResourceDetail } = await aws.cloudformation.send(command);
  return { id: StackResourceDetail?.PhysicalResourceId ?? '', status: StackResourceDetail?.ResourceStatus ?? '' };
}

export async function readQueueArn({ aws }: SmokeStage, QueueUrl: string): Promise<string> {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] });
  return (await aws.sqs.send(command)).Attributes?.QueueArn ?? '';
}
