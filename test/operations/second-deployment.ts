/**
 * Shared by deployments beside the main one: the target, with the servers of the stack and a
 * separate database, and their removal.
 */
import path from 'node:path';
import {
  CloudFormationClient,
  GetTemplateCommand,
  UpdateStackCommand,
  waitUntilStackUpdateComplete,
} from '@aws-sdk/client-cloudformation';
import type { DeploymentTarget } from '../../tools/local/deploy.ts';
import { graphAddress } from '../support/connect-graph.ts';
import { stack } from '../support/stack.ts';

/**
 * The running LocalStack as a target.
 *
 * @param name name of the deployment's log.
 */
export function targetBeside(MONGODB_DATABASE: string, name: string): DeploymentTarget {
  const { uri, username, password } = graphAddress(stack);
  return {
    endpointUrl: stack.awsEndpointUrl,
    region: stack.awsRegion,
    databases: {
      MONGODB_URI: stack.mongodbUri,
      MONGODB_DATABASE,
      NEO4J_URI: uri,
      NEO4J_USERNAME: username,
      NEO4J_PASSWORD: password,
      NEO4J_DATABASE: 'neo4j',
    },
    logFile: path.join(stack.logsFolder, `deploy-${name}.log`),
    signal: new AbortController().signal,
  };
}

/**
 * Removes everything from the stack except the bucket of the deployment. `serverless remove` first
 * asks for container images, which LocalStack does not support, and LocalStack deletes only the
 * original resources of a stack that was updated.
 */
export async function removeResources(StackName: string): Promise<void> {
  const client = new CloudFormationClient({ endpoint: stack.awsEndpointUrl, region: stack.awsRegion });
  try {
    const { TemplateBody = '' } = await client.send(new GetTemplateCommand({ StackName }));
    const { Resources } = JSON.parse(TemplateBody) as { readonly Resources: Readonly<Record<string, unknown>> };
    const kept = Object.entries(Resources).filter(([name]) => name.startsWith('ServerlessDeploymentBucket'));
    const body = JSON.stringify({ Resources: Object.fromEntries(kept) });
    await client.send(new UpdateStackCommand({ StackName, TemplateBody: body }));
    await waitUntilStackUpdateComplete({ client, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { StackName });
  } finally {
    client.destroy();
  }
}
