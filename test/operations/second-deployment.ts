/**
 * What deployments beside the main one share: the target, with the servers of the stack and a database of their own,
 * and their removal.
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

/** The running LocalStack. @param name of the log of the deployment. */
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
 * Takes everything out of the stack but the bucket of the deployment. `serverless remove` asks for container images
 * first, of which LocalStack knows nothing, and when a stack that was updated is deleted, LocalStack removes only what
 * it was created with.
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
