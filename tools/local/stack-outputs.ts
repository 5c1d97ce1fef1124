/** Reads the outputs of a CloudFormation stack. */
import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { StackError } from './stack-error.ts';

/**
 * Returns a function from an output's name to its value.
 *
 * @throws StackError from that function if there is no such output.
 * @example
 * const output = await readStackOutputs(client, 'xmem-local');
 * const queueUrl = output('QueueUrl');
 */
export async function readStackOutputs(
  client: CloudFormationClient,
  StackName: string,
): Promise<(key: string) => string> {
  const { Stacks } = await client.send(new DescribeStacksCommand({ StackName }));
  const outputs = new Map(Stacks?.[0]?.Outputs?.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
  return (key) => {
    const value = outputs.get(key);
    if (value === undefined)
      throw new StackError(
        `The stack ${StackName} has no output ${key}: deploy it again, and look at infra/messaging.yml.`,
      );
    return value;
  };
}
