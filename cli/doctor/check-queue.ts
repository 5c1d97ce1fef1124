/**
 * The doctor's checks of the queue, its dead-letter queue and the bus, if the settings name them.
 * The worker needs none of them.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
import { type Check, type Finding, ok, skipped, warning, wrong } from './doctor.ts';
import { deployed } from './expectations.ts';
import { allowsEventBridge, sourceArnsOf } from './queue-policy.ts';
import type { QueueFacts, RuleFacts } from './sqs-inspect-queue.ts';

/**
 * The facts to judge. A port is null if its setting is missing. Its result is null if the resource
 * does not exist.
 */
export interface QueuePorts {
  readonly readQueue: (() => Promise<QueueFacts | null>) | null;
  readonly readDeadLetterQueue: (() => Promise<QueueFacts | null>) | null;
  readonly readRules: ((queueArn: string) => Promise<readonly RuleFacts[] | null>) | null;
}

const redeploy = 'Deploy the stack again, or correct it by hand to match infra/messaging.yml.';
const queueRight = 'it needs sqs:GetQueueAttributes';
const busRight = 'it needs events:DescribeEventBus, events:ListRuleNamesByTarget and events:DescribeRule';
const awsAdvice =
  "Check that AWS_REGION and the credentials are those of the stage's account, and that AWS is reachable.";

export function queueChecks(ports: QueuePorts): readonly Check[] {
  const base = { group: 'Queue and bus', right: queueRight, advice: awsAdvice } as const;
  const queue: Check = { ...base, name: 'queue', examine: () => findQueue(ports.readQueue, 'QUEUE_URL') };
  const deadLetters: Check = {
    ...base,
    name: 'dead-letter queue',
    examine: () => findQueue(ports.readDeadLetterQueue, 'DEAD_LETTER_QUEUE_URL'),
  };
  const readQueue = () => found(ports.readQueue);
  const readDeadLetters = () => found(ports.readDeadLetterQueue);
  const onQueue = { ...base, needs: [queue] };
  const onBoth = { ...base, needs: [queue, deadLetters] };
  const rules: Check = {
    ...base,
    name: 'rule of the bus',
    right: busRight,
    needs: [queue],
    examine: async () =>
      ports.readRules === null
        ? skipped('EVENT_BUS_NAME is not set')
        : judgeRules(await ports.readRules((await readQueue()).arn)),
  };
  return [
    queue,
    deadLetters,
    {
      ...onBoth,
      name: 'redrive policy',
      examine: async () => judgeRedrive(await readQueue(), await readDeadLetters()),
    },
    { ...onQueue, name: 'visibility time-out', examine: async () => judgeVisibility(await readQueue()) },
    {
      ...onBoth,
      name: 'retention',
      examine: async () => judgeRetention(await readQueue(), await readDeadLetters()),
    },
    {
      ...onBoth,
      name: 'encryption',
      examine: async () => judgeEncryption({ queue: await readQueue(), 'dead-letter queue': await readDeadLetters() }),
    },
    { ...base, name: 'dead letters', needs: [deadLetters], examine: async () => judgeLetters(await readDeadLetters()) },
    rules,
    {
      ...onQueue,
      name: 'policy of the queue',
      examine: async () => {
        const { arn, policy } = await readQueue();
        // The rules have a check of their own.
        const rules = await ports.readRules?.(arn).catch(() => null);
        return judgePolicy(policy, rules ?? []);
      },
    },
  ];
}

async function findQueue(read: QueuePorts['readQueue'], setting: string): Promise<Finding> {
  if (read === null) return skipped(`${setting} is not set`);
  const queue = await read();
  if (queue === null) return wrong('there is no such queue in this account and region', `Check ${setting}.`);
  return ok(queue.arn);
}

/** For checks that depend on the check of the queue itself. */
async function found(read: QueuePorts['readQueue']): Promise<QueueFacts> {
  const queue = await read?.();
  if (queue === null || queue === undefined) throw new Error('The queue was deleted.');
  return queue;
}

function judgeRedrive({ redrive }: QueueFacts, deadLetters: QueueFacts): Finding {
  if (redrive === null)
    return wrong('the queue has none: a message that is never settled is lost when its retention ends', redeploy);
  if (redrive.deadLetterTargetArn !== deadLetters.arn)
    return wrong(`it points to ${redrive.deadLetterTargetArn}, not to DEAD_LETTER_QUEUE_URL`, redeploy);
  const words = `to the dead-letter queue after ${redrive.maxReceiveCount} receives`;
  if (redrive.maxReceiveCount >= deployed.maxReceiveCount) return ok(words);
  return warning(
    `${words}: in an outage, messages are received every half minute, and would end up there`,
    `Set maxReceiveCount to ${deployed.maxReceiveCount}, as in infra/params.yml.`,
  );
}

/**
 * A message that becomes visible while it is processed is processed twice. Lambda refuses a queue
 * whose visibility time-out is below the function's time-out.
 */
function judgeVisibility({ visibilityTimeoutSeconds: seconds }: QueueFacts): Finding {
  if (seconds >= deployed.visibilityTimeoutSeconds) return ok(`${seconds} seconds`);
  const advice =
    "Set it to six times the consumer's time-out, as AWS recommends: " +
    `${deployed.visibilityTimeoutSeconds} seconds (infra/params.yml).`;
  if (seconds >= deployed.consumerTimeoutSeconds) return warning(`only ${seconds} seconds`, advice);
  return wrong(`${seconds} seconds, below the consumer's time-out (${deployed.consumerTimeoutSeconds})`, advice);
}

/**
 * A message keeps its age when it moves to the dead-letter queue.
 *
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html
 */
function judgeRetention(queue: QueueFacts, deadLetters: QueueFacts): Finding {
  const days = ({ retentionSeconds }: QueueFacts) => Math.round((retentionSeconds / 86_400) * 10) / 10;
  const words = `${days(queue)} days, dead letters ${days(deadLetters)} days`;
  if (deadLetters.retentionSeconds < queue.retentionSeconds)
    return warning(`${words}: a message keeps its age when it moves, and may be deleted immediately`, redeploy);
  if (queue.retentionSeconds < deployed.messageRetentionSeconds)
    return warning(`${words}: messages that wait longer in an outage must be published again`, redeploy);
  return ok(words);
}

function judgeEncryption(queues: Readonly<Record<string, QueueFacts>>): Finding {
  const plain = Object.entries(queues).flatMap(([name, { isEncrypted }]) => (isEncrypted ? [] : [name]));
  return plain.length === 0 ? ok('at rest, both') : warning(`not encrypted at rest: ${plain.join(', ')}`, redeploy);
}

function judgeLetters({ messages }: QueueFacts): Finding {
  if (messages === 0) return ok('none');
  return warning(
    `about ${messages} messages that could not be read or settled`,
    'See docs/runbook.md, dead-letter-queue-not-empty.',
  );
}

function judgeRules(rules: readonly RuleFacts[] | null): Finding {
  if (rules === null) return wrong('there is no such bus in this account and region', 'Check EVENT_BUS_NAME.');
  const enabled = rules.filter(({ isEnabled }) => isEnabled);
  if (enabled.length > 0) return ok(`${enabled.map(({ name }) => name).join(', ')}, enabled`);
  if (rules.length > 0)
    return wrong(
      `disabled: ${rules.map(({ name }) => name).join(', ')}; pointers do not reach the queue`,
      'Run: aws events enable-rule --event-bus-name <bus> --name <rule>',
    );
  return wrong('no rule of the bus targets the queue: pointers do not reach it', redeploy);
}

/** @param rules empty if the bus is not set or could not be read. */
function judgePolicy(policy: string | null, rules: readonly RuleFacts[]): Finding {
  if (!allowsEventBridge(policy))
    return wrong('it does not allow EventBridge to send: pointers are lost between bus and queue', redeploy);
  const sources = sourceArnsOf(policy);
  const known = rules.map(({ arn }) => arn);
  if (sources.length > 0 && known.length > 0 && !known.some((arn) => sources.some((source) => matches(source, arn))))
    return wrong(`it allows a different rule (${sources.join(', ')}) to send, not the rule of the bus`, redeploy);
  return ok('allows EventBridge to send');
}

function matches(pattern: string, arn: string): boolean {
  return pattern === arn || /[*?]/.test(pattern);
}
