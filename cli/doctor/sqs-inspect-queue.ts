/** Collects facts for the doctor about a queue and its bus. */
import {
  DescribeEventBusCommand,
  DescribeRuleCommand,
  type EventBridgeClient,
  ListRuleNamesByTargetCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-eventbridge';
import { GetQueueAttributesCommand, QueueDoesNotExist, SQSClient } from '@aws-sdk/client-sqs';
import { Fault, type InfrastructureFaultCode } from '../../lib/contract/fault.ts';
import { awsTimeouts } from '../../lib/runtime/aws-client.ts';

/**
 * A queue as SQS describes it.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
 */
export interface QueueFacts {
  readonly arn: string;
  readonly visibilityTimeoutSeconds: number;
  readonly retentionSeconds: number;
  readonly isEncrypted: boolean;
  readonly redrive: { readonly deadLetterTargetArn: string; readonly maxReceiveCount: number } | null;
  /** Approximate: visible, in flight or delayed. */
  readonly messages: number;
  /** As JSON. */
  readonly policy: string | null;
}

/** Opens a client whose calls end within seconds. */
export function connectQueueToInspect(): SQSClient {
  return new SQSClient({ maxAttempts: 2, ...awsTimeouts({ connectMillis: 1_000 }) });
}

/** Null if there is no such queue. @throws Fault `queue-unavailable`, `permission-denied`. */
export async function readQueue(client: SQSClient, queueUrl: string): Promise<QueueFacts | null> {
  const attributes = await orNull(QueueDoesNotExist, 'queue-unavailable', 'SQS', async () => {
    const answer = await client.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] }));
    return answer.Attributes ?? {};
  });
  if (attributes === null) return null;
  const number = (name: keyof typeof attributes) => Number(attributes[name] ?? 0);
  return {
    arn: attributes.QueueArn ?? '',
    visibilityTimeoutSeconds: number('VisibilityTimeout'),
    retentionSeconds: number('MessageRetentionPeriod'),
    isEncrypted: attributes.SqsManagedSseEnabled === 'true' || attributes.KmsMasterKeyId !== undefined,
    redrive: readRedrive(attributes.RedrivePolicy),
    messages:
      number('ApproximateNumberOfMessages') +
      number('ApproximateNumberOfMessagesNotVisible') +
      number('ApproximateNumberOfMessagesDelayed'),
    policy: attributes.Policy ?? null,
  };
}

function readRedrive(text: string | undefined): QueueFacts['redrive'] {
  if (text === undefined || text === '') return null;
  const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(text);
  return { deadLetterTargetArn: String(deadLetterTargetArn), maxReceiveCount: Number(maxReceiveCount) };
}

/** A rule of the bus whose target is the queue. */
export interface RuleFacts {
  readonly name: string;
  readonly arn: string;
  readonly isEnabled: boolean;
}

/** Null if there is no such bus. @throws Fault `bus-unavailable`, `permission-denied`. */
export async function readRules(
  client: EventBridgeClient,
  busName: string,
  queueArn: string,
): Promise<readonly RuleFacts[] | null> {
  return orNull(ResourceNotFoundException, 'bus-unavailable', 'EventBridge', async () => {
    await client.send(new DescribeEventBusCommand({ Name: busName }));
    const bus = { EventBusName: busName };
    const { RuleNames = [] } = await client.send(new ListRuleNamesByTargetCommand({ ...bus, TargetArn: queueArn }));
    const rules = await Promise.all(RuleNames.map((Name) => client.send(new DescribeRuleCommand({ ...bus, Name }))));
    return rules.map(({ Name = '', Arn = '', State }) => ({ name: Name, arn: Arn, isEnabled: State !== 'DISABLED' }));
  });
}

type NotFound = abstract new (...args: never[]) => Error;

async function orNull<Answer>(
  notFound: NotFound,
  code: InfrastructureFaultCode,
  service: string,
  call: () => Promise<Answer>,
): Promise<Answer | null> {
  try {
    return await call();
  } catch (cause) {
    if (cause instanceof notFound) return null;
    const name = cause instanceof Error ? cause.name : typeof cause;
    const isDenied = /^(AccessDenied|AccessDeniedException|UnauthorizedOperation)$/.test(name);
    const reason = `${service} request failed: ${systemCode(cause) ?? name}.`;
    throw new Fault(isDenied ? 'permission-denied' : code, reason, { cause });
  }
}

/** The network's code, such as ECONNREFUSED, is more specific than "Error". */
function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
