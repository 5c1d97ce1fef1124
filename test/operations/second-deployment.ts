/**
 * Shared by deployments beside the main one: the target, with the servers of the stack and a
 * separate database, and their removal.
 */
import path from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { DeploymentTarget } from '../../tools/local/deploy.ts';
import { removeResources as removeFrom } from '../../tools/local/remove-resources.ts';
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

/** Removes everything of a stack except the bucket of the deployment. */
export async function removeResources(stackName: string): Promise<void> {
  const client = new CloudFormationClient({ endpoint: stack.awsEndpointUrl, region: stack.awsRegion });
  try {
    await removeFrom(client, stackName);
  } finally {
    client.destroy();
  }
}
