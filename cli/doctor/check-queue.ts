/**
 * The doctor's checks of the queue, its dead-letter queue and the bus, where the settings name them: the worker needs
 * none.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
import type { Check, Finding } from './doctor.ts';
import { ok, skipped, warning, wrong } from './doctor.ts';
import { deployed } from './expectations.ts';
import { allowsEventBridge, sourceArnsOf } from './queue-policy.ts';

export interface QueueFound {
  readonly arn: string;
  readonly visibilityTimeoutSeconds: number;
  readonly retentionSeconds: number;
  readonly isEncrypted: boolean;
  readonly redrive: { readonly deadLetterTargetArn: string; readonly maxReceiveCount: number } | null;
  /** About. */
  readonly messages: number;
  /** Its policy as JSON, null where it has none. */
  readonly policy: string | null;
}

/** A rule of the bus whose target is the queue. */
export interface RuleFound {
  readonly name: string;
  readonly arn: string;
  readonly isEnabled: boolean;
}

/** What the checks read; each is null where the setting is not there. They give null where there is no such thing. */
export interface QueuePorts {
  readonly readQueue: (() => Promise<QueueFound | null>) | null;
  readonly readDeadLetterQueue: (() => Promise<QueueFound | null>) | null;
  readonly readRules: ((queueArn: string) => Promise<readonly RuleFound[] | null>) | null;
}

const redeploy = 'Deploy the stack again, or bring it right by hand: infra/messaging.yml says what it should be.';
const queueRight = 'it needs sqs:GetQueueAttributes';
const busRight = 'it needs events:DescribeEventBus, events:ListRuleNamesByTarget and events:DescribeRule';
const awsAdvice =
  'See that AWS_REGION and the credentials are those of the account of the stage, and that the network reaches AWS.';

/** The checks. */
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
        // What is wrong with the rules, their own check says.
        const rules = await ports.readRules?.(arn).catch(() => null);
        return judgePolicy(policy, rules ?? []);
      },
    },
  ];
}

async function findQueue(read: QueuePorts['readQueue'], setting: string): Promise<Finding> {
  if (read === null) return skipped(`${setting} is not set`);
  const queue = await read();
  if (queue === null) return wrong(`there is no such queue in this account and region`, `See ${setting}.`);
  return ok(queue.arn);
}

/** For checks that stand on the one that found it. */
async function found(read: QueuePorts['readQueue']): Promise<QueueFound> {
  const queue = await read?.();
  if (queue === null || queue === undefined) throw new Error('The queue went away.');
  return queue;
}

function judgeRedrive({ redrive }: QueueFound, deadLetters: QueueFound): Finding {
  if (redrive === null)
    return wrong('the queue has none: a message that is never settled is lost when its retention ends', redeploy);
  if (redrive.deadLetterTargetArn !== deadLetters.arn)
    return wrong(`it points to ${redrive.deadLetterTargetArn}, and not to DEAD_LETTER_QUEUE_URL`, redeploy);
  const words = `to the dead-letter queue after ${redrive.maxReceiveCount} receives`;
  if (redrive.maxReceiveCount >= deployed.maxReceiveCount) return ok(words);
  return warning(
    `${words}: in an outage, messages are received every half a minute, and end up there`,
    `Set maxReceiveCount to ${deployed.maxReceiveCount}, as infra/params.yml does.`,
  );
}

/**
 * A message that becomes visible while it is worked on is worked on twice; Lambda refuses a queue that hides messages
 * for less than the function's time-out.
 */
function judgeVisibility({ visibilityTimeoutSeconds: seconds }: QueueFound): Finding {
  if (seconds >= deployed.visibilityTimeoutSeconds) return ok(`${seconds} seconds`);
  const advice = `Set it to six times the consumer's time-out, as AWS advises: ${deployed.visibilityTimeoutSeconds} seconds (infra/params.yml).`;
  if (seconds >= deployed.consumerTimeoutSeconds) return warning(`${seconds} seconds only`, advice);
  return wrong(`${seconds} seconds, less than the consumer may take (${deployed.consumerTimeoutSeconds})`, advice);
}

/**
 * A message keeps its age when it moves to the dead-letter queue.
 *
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html
 */
function judgeRetention(queue: QueueFound, deadLetters: QueueFound): Finding {
  const days = ({ retentionSeconds }: QueueFound) => Math.round((retentionSeconds / 86_400) * 10) / 10;
  const words = `${days(queue)} days, dead letters ${days(deadLetters)} days`;
  if (deadLetters.retentionSeconds < queue.retentionSeconds)
    return warning(`${words}: a message keeps its age when it moves, and may be gone at once`, redeploy);
  if (queue.retentionSeconds < deployed.messageRetentionSeconds)
    return warning(`${words}: what lies longer in an outage has to be published again`, redeploy);
  return ok(words);
}

function judgeEncryption(queues: Readonly<Record<string, QueueFound>>): Finding {
  const plain = Object.entries(queues).flatMap(([name, { isEncrypted }]) => (isEncrypted ? [] : [name]));
  return plain.length === 0 ? ok('at rest, both') : warning(`not encrypted at rest: ${plain.join(', ')}`, redeploy);
}

function judgeLetters({ messages }: QueueFound): Finding {
  if (messages === 0) return ok('none');
  return warning(
    `about ${messages} messages that nobody could read, or settle`,
    'docs/runbook.md, dead-letter-queue-not-empty, says how to look at them and what to do.',
  );
}

function judgeRules(rules: readonly RuleFound[] | null): Finding {
  if (rules === null) return wrong('there is no such bus in this account and region', 'See EVENT_BUS_NAME.');
  const enabled = rules.filter(({ isEnabled }) => isEnabled);
  if (enabled.length > 0) return ok(`${enabled.map(({ name }) => name).join(', ')}, enabled`);
  if (rules.length > 0)
    return wrong(
      `disabled: ${rules.map(({ name }) => name).join(', ')}; pointers go over the bus and reach nobody`,
      'aws events enable-rule --event-bus-name <bus> --name <rule>',
    );
  return wrong('no rule of the bus has the queue for its target: pointers reach nobody', redeploy);
}

/** @param rules none, if the bus is not set or could not be read. */
function judgePolicy(policy: string | null, rules: readonly RuleFound[]): Finding {
  if (!allowsEventBridge(policy))
    return wrong('it does not let EventBridge send: pointers are lost between bus and queue', redeploy);
  const sources = sourceArnsOf(policy);
  const known = rules.map(({ arn }) => arn);
  if (sources.length > 0 && known.length > 0 && !known.some((arn) => sources.some((source) => matches(source, arn))))
    return wrong(`it lets another rule send than the one of the bus (${sources.join(', ')})`, redeploy);
  return ok('lets EventBridge send');
}

function matches(pattern: string, arn: string): boolean {
  return pattern === arn || /[*?]/.test(pattern);
}
