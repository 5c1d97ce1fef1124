/** Each function works once, and each role allows only what its function needs. */
import { GetRoleCommand, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { StackError } from '../local/stack-error.ts';
import type { Check } from './check.ts';
import { isLocalstack, readOutput, readQueueArn, readResource, type SmokeStage, usesSecretsManager } from './stage.ts';

export const functions: readonly Check[] = [
  {
    name: 'Each function works once',
    phase: 'stage',
    run: async (stage) => {
      // It runs for 80 seconds, and the events prove that it works.
      await invoke(stage, 'publisher', 'Event');
      await invoke(stage, 'consumer', 'RequestResponse', { Records: [] });
      await invoke(stage, 'sweep', 'RequestResponse');
      const { status } = await readResource(stage, 'SetUpRun');
      if (!/^(CREATE|UPDATE)_COMPLETE$/.test(status))
        throw new StackError(
          `The set-up's run is in ${status}: read the log of ${stage.name}-setUp, and deploy again.`,
        );
      return 'consumer and sweep answered, the set-up ran in the deployment, the publisher is started';
    },
  },
  {
    name: 'Each role allows its actions and denies others',
    phase: 'stage',
    run: simulateRoles,
  },
];

/** @throws StackError with the function's own error. */
export async function invoke(
  { aws, name }: SmokeStage,
  part: string,
  InvocationType: 'Event' | 'RequestResponse',
  payload: object = {},
): Promise<void> {
  const FunctionName = `${name}-${part}`;
  const Payload = JSON.stringify(payload);
  const answer = await aws.lambda.send(new InvokeCommand({ FunctionName, InvocationType, Payload }));
  if (answer.FunctionError === undefined) return;
  const { errorMessage = 'without a message' } = JSON.parse(answer.Payload?.transformToString() || '{}');
  throw new StackError(`${FunctionName} failed: ${errorMessage}. Read its log /aws/lambda/${FunctionName}.`);
}

/** Roles by their names in the template, with actions and the resources that they concern. */
async function roleTable(stage: SmokeStage) {
  const queue = await readQueueArn(stage, await readOutput(stage, 'QueueUrl'));
  const deadLetters = await readQueueArn(stage, await readOutput(stage, 'DeadLetterQueueUrl'));
  const [, partition, , region, account] = queue.split(':');
  const arn = (service: string, resource: string) => `arn:${partition}:${service}:${region}:${account}:${resource}`;
  const bus = arn('events', `event-bus/${stage.name}`);
  const inSecretsManager = usesSecretsManager(stage);
  const read = inSecretsManager ? 'secretsmanager:GetSecretValue' : 'ssm:GetParameter';
  const secret = (owner: string) => {
    const path = `/${stage.service}/${stage.stage}/${owner}/mongodb-uri`;
    return inSecretsManager ? arn('secretsmanager', `secret:${path}-abcdef`) : arn('ssm', `parameter${path}`);
  };
  const receive = 'sqs:ReceiveMessage';
  const send = 'sqs:SendMessage';
  const put = 'events:PutEvents';
  return [
    {
      role: 'PublisherRole',
      allowed: [
        [put, bus],
        [read, secret('publisher')],
      ],
      denied: [
        [put, arn('events', 'event-bus/default')],
        [receive, queue],
        [send, queue],
        [read, secret('consumer')],
      ],
    },
    {
      role: 'ConsumerRole',
      allowed: [
        [receive, queue],
        ['sqs:DeleteMessage', queue],
        [send, deadLetters],
        [read, secret('consumer')],
      ],
      denied: [
        [send, queue],
        [receive, deadLetters],
        [put, bus],
        [read, secret('publisher')],
      ],
    },
    {
      role: 'SweepRole',
      allowed: [
        [send, queue],
        [read, secret('sweep')],
      ],
      denied: [
        [receive, queue],
        ['sqs:PurgeQueue', queue],
        [put, bus],
        [read, secret('consumer')],
      ],
    },
    {
      role: 'SetUpRole',
      allowed: [[read, secret('set-up')]],
      denied: [
        [send, queue],
        [receive, queue],
        [put, bus],
        [read, secret('sweep')],
      ],
    },
  ] as const;
}

/** LocalStack's simulator does not match the pattern that the roles have for secrets. */
const isExact = ([action]: readonly [string, string]) => !/Secret|Parameter/.test(action);

async function simulateRoles(stage: SmokeStage): Promise<string> {
  const { iam } = stage.aws;
  const problems: string[] = [];
  let count = 0;
  for (const { role, allowed, denied } of await roleTable(stage)) {
    const { id } = await readResource(stage, role);
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: id }));
    for (const [expected, pairs] of [
      ['allowed', isLocalstack(stage) ? allowed.filter(isExact) : allowed],
      ['denied', denied],
    ] as const) {
      for (const [action, resource] of pairs) {
        const { EvaluationResults = [] } = await iam.send(
          new SimulatePrincipalPolicyCommand({
            PolicySourceArn: Role?.Arn,
            ActionNames: [action],
            ResourceArns: [resource],
          }),
        );
        const isAllowed = EvaluationResults[0]?.EvalDecision === 'allowed';
        count += 1;
        if (isAllowed !== (expected === 'allowed'))
          problems.push(`${role}: ${action} on ${resource} is not ${expected}`);
      }
    }
  }
  if (problems.length > 0)
    throw new StackError(
      `${problems.join('\n')}\nCompare the roles with infra/roles.yml and infra/ingress/poller.yml.`,
    );
  return `${count} actions as expected`;
}
