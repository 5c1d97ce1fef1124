/** Deploys the real `serverless.yml` of a service to LocalStack, and reads the stack's outputs. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { localCredentials, sdkCredentials } from './credentials.ts';
import { withDeploymentFolder } from './deployment-folder.ts';
import { projectRoot } from './paths.ts';
import { type DatabaseAddresses, putSecrets } from './put-secrets.ts';
import { runCommand } from './run-command.ts';
import { StackError } from './stack-error.ts';

/** The service and stage of the local stack: XMem's, so that it processes real input. */
export const service = 'xmem';
export const stage = 'local';

/** The deployed functions, bus and queues. */
export interface Deployment extends Ways {
  readonly functions: { readonly publisher: string; readonly consumer: string; readonly sweep: string };
}

/** The bus and the queues of any stage, with any ingress. */
export interface Ways {
  readonly eventBusName: string;
  readonly queueUrl: string;
  readonly deadLetterQueueUrl: string;
}

/** The target of a deployment, and the servers that its functions use. */
export interface DeploymentTarget {
  readonly endpointUrl: string;
  readonly region: string;
  readonly databases: DatabaseAddresses & { readonly MONGODB_DATABASE: string; readonly NEO4J_DATABASE: string };
  readonly logFile: string;
  readonly signal: AbortSignal;
}

/** The stage to deploy there. */
export interface StageToDeploy {
  /** As in its `serverless.yml`. */
  readonly service: string;
  readonly stage: string;
  /** Params of `serverless.yml`, as `name=value`. */
  readonly params: readonly string[];
  /**
   * The folder of `serverless.yml`. Packages go below it, so concurrent deployments need two
   * folders.
   */
  readonly folder: string;
}

/**
 * Deploys, and returns the names of the resources. The deployment also sets up both databases.
 *
 * @throws StackError with the end of the deployment's output.
 */
export async function deploy(target: DeploymentTarget, params: StageToDeploy['params'] = []): Promise<Deployment> {
  return {
    ...(await withDeploymentFolder(service, (folder) => deployStage(target, { service, stage, params, folder }))),
    functions: {
      publisher: `${service}-${stage}-publisher`,
      consumer: `${service}-${stage}-consumer`,
      sweep: `${service}-${stage}-sweep`,
    },
  };
}

/**
 * Deploys any stage of any service.
 *
 * @throws StackError with the end of the deployment's output.
 */
export async function deployStage(target: DeploymentTarget, what: StageToDeploy): Promise<Ways> {
  const { service, stage, params, folder } = what;
  await putSecrets(target, `/${service}/${stage}`, target.databases);
  // Serverless does not remove the files that it unpacks for zipping.
  const temporary = path.join(folder, '.temporary');
  await mkdir(temporary, { recursive: true });
  await runCommand({
    command: process.execPath,
    args: [
      path.join(projectRoot, 'node_modules/serverless/bin/serverless.js'),
      'deploy',
      '--stage',
      stage,
      ...params.flatMap((param) => ['--param', param]),
      '--verbose',
    ],
    cwd: folder,
    env: {
      MONGODB_DATABASE: target.databases.MONGODB_DATABASE,
      NEO4J_DATABASE: target.databases.NEO4J_DATABASE,
      ...localCredentials,
      AWS_ENDPOINT_URL: target.endpointUrl,
      AWS_REGION: target.region,
      TMPDIR: temporary,
      SLS_TELEMETRY_DISABLED: '1',
      SLS_NOTIFICATIONS_MODE: 'off',
    },
    logFile: target.logFile,
    onFailure: `The deployment to LocalStack failed; the end of its output (${target.logFile}):`,
    signal: target.signal,
  });
  return readWays(target, `${service}-${stage}`);
}

async function readWays({ endpointUrl, region }: DeploymentTarget, StackName: string): Promise<Ways> {
  const client = new CloudFormationClient({ endpoint: endpointUrl, region, credentials: sdkCredentials });
  try {
    const answer = await client.send(new DescribeStacksCommand({ StackName }));
    const outputs = new Map(answer.Stacks?.[0]?.Outputs?.map((output) => [output.OutputKey, output.OutputValue]));
    const output = (name: string) => {
      const value = outputs.get(name);
      if (value === undefined)
        throw new StackError(`The deployment has no output ${name}: look at infra/messaging.yml.`);
      return value;
    };
    return {
      eventBusName: output('EventBusName'),
      queueUrl: output('QueueUrl'),
      deadLetterQueueUrl: output('DeadLetterQueueUrl'),
    };
  } finally {
    client.destroy();
  }
}

/** Starts a function asynchronously, so that no caller waits for its first scheduled run. */
export async function invokeOnce({ endpointUrl, region }: DeploymentTarget, functionName: string): Promise<void> {
  const client = new LambdaClient({ endpoint: endpointUrl, region, credentials: sdkCredentials });
  try {
    await client.send(new InvokeCommand({ FunctionName: functionName, InvocationType: 'Event' }));
  } finally {
    client.destroy();
  }
}
