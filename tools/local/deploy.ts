/** Deploys the real `serverless.yml` of a service to LocalStack, and reads the stack's outputs. */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { localCredentials, sdkCredentials } from './credentials.ts';
import { withDeploymentFolder } from './deployment-folder.ts';
import { type DatabaseAddresses, putSecrets } from './put-secrets.ts';
import { runServerless } from './serverless.ts';
import { readStackOutputs } from './stack-outputs.ts';

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
  await runServerless({
    command: 'deploy',
    stage,
    region: target.region,
    params,
    folder,
    databases: target.databases,
    env: { ...localCredentials, AWS_ENDPOINT_URL: target.endpointUrl },
    logFile: target.logFile,
    onFailure: `The deployment to LocalStack failed; the end of its output (${target.logFile}):`,
    signal: target.signal,
  });
  return readWays(target, `${service}-${stage}`);
}

async function readWays({ endpointUrl, region }: DeploymentTarget, StackName: string): Promise<Ways> {
  const client = new CloudFormationClient({ endpoint: endpointUrl, region, credentials: sdkCredentials });
  try {
    const output = await readStackOutputs(client, StackName);
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
