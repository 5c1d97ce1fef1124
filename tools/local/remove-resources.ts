/** Removes a deployment from LocalStack, where `serverless remove` does not work. */
import {
  type CloudFormationClient,
  GetTemplateCommand,
  UpdateStackCommand,
  waitUntilStackUpdateComplete,
} from '@aws-sdk/client-cloudformation';

/**
 * Removes everything from the stack except the bucket of the deployment. `serverless remove` first
 * asks for container images, which LocalStack does not support, and LocalStack deletes only the
 * original resources of a stack that was updated.
 */
export async function removeResources(client: CloudFormationClient, StackName: string): Promise<void> {
  const { TemplateBody = '' } = await client.send(new GetTemplateCommand({ StackName }));
  const { Resources } = JSON.parse(TemplateBody) as { readonly Resources: Readonly<Record<string, unknown>> };
  const kept = Object.entries(Resources).filter(([name]) => name.startsWith('ServerlessDeploymentBucket'));
  const body = JSON.stringify({ Resources: Object.fromEntries(kept) });
  await client.send(new UpdateStackCommand({ StackName, TemplateBody: body }));
  await waitUntilStackUpdateComplete({ client, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { StackName });
}
