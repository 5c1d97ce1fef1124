/** Removes the stage, and looks for anything with its name that is left. */
import { DeleteStackCommand, waitUntilStackDeleteComplete } from '@aws-sdk/client-cloudformation';
import { DescribeAlarmsCommand, ListDashboardsCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { ListArchivesCommand, ListEventBusesCommand, ListRulesCommand } from '@aws-sdk/client-eventbridge';
import { paginateListRoles } from '@aws-sdk/client-iam';
import { paginateListEventSourceMappings, paginateListFunctions } from '@aws-sdk/client-lambda';
import { DeleteObjectsCommand, ListBucketsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { paginateListTopics } from '@aws-sdk/client-sns';
import { ListQueuesCommand } from '@aws-sdk/client-sqs';
import { removeResources } from '../local/remove-resources.ts';
import { type Check, until } from './check.ts';
import { ofOthers, serverless, untilStable } from './deployment.ts';
import { isLocalstack, readResource, readStackStatus, type SmokeStage } from './stage.ts';

export const removal: readonly Check[] = [
  {
    name: 'The stage can be removed',
    phase: 'removal',
    skip: ofOthers,
    run: async (stage, signal) => {
      if ((await untilStable(stage)) === undefined) return 'it was not there';
      if (isLocalstack(stage)) await removeFromLocalstack(stage);
      else await serverless(stage, 'remove', signal);
      return 'its secrets and the databases stay: delete them by hand';
    },
  },
  {
    name: 'The removal leaves nothing behind',
    phase: 'removal',
    skip: ofOthers,
    run: async (stage, signal) => {
      let remains: readonly string[] = [];
      const advice = () => `Delete them by hand: ${remains.join(', ')}.`;
      await until(
        async () => {
          remains = await findRemains(stage);
          return remains.length === 0 || undefined;
        },
        { seconds: 60, what: `everything of ${stage.name} to be gone`, advice },
        signal,
      );
      return 'no function, mapping, queue, bus, rule, archive, log, alarm, dashboard, topic, role, bucket or stack';
    },
  },
];

async function removeFromLocalstack(stage: SmokeStage): Promise<void> {
  const { aws, name: StackName } = stage;
  const { id: Bucket } = await readResource(stage, 'ServerlessDeploymentBucket');
  await removeResources(aws.cloudformation, StackName);
  const { Contents = [] } = await aws.s3.send(new ListObjectsV2Command({ Bucket }));
  const Objects = Contents.map(({ Key }) => ({ Key }));
  if (Objects.length > 0) await aws.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  await aws.cloudformation.send(new DeleteStackCommand({ StackName }));
  await waitUntilStackDeleteComplete(
    { client: aws.cloudformation, maxWaitTime: 60, minDelay: 1, maxDelay: 1 },
    { StackName },
  );
}

/** Everything whose name begins with the stage's, as `kind name`. */
async function findRemains(stage: SmokeStage): Promise<readonly string[]> {
  const { aws, name } = stage;
  const prefix = `${name}-`;
  const found: string[] = [];
  const add = <Item>(kind: string, items: readonly Item[] | undefined, nameOf: (item: Item) => string | undefined) => {
    const names = (items ?? []).map(nameOf).filter((one) => one === name || one?.startsWith(prefix));
    found.push(...names.map((one) => `${kind} ${one}`));
  };
  if ((await readStackStatus(stage)) !== undefined) found.push(`stack ${name}`);
  for await (const { Functions } of paginateListFunctions({ client: aws.lambda }, {}))
    add('function', Functions, ({ FunctionName }) => FunctionName);
  for await (const { EventSourceMappings } of paginateListEventSourceMappings({ client: aws.lambda }, {}))
    add('event source mapping of', EventSourceMappings, ({ FunctionArn }) => FunctionArn?.split(':')[6]);
  const queues = await aws.sqs.send(new ListQueuesCommand({ QueueNamePrefix: prefix }));
  add('queue', queues.QueueUrls, (url) => url.split('/').at(-1));
  const buses = await aws.events.send(new ListEventBusesCommand({ NamePrefix: name }));
  add('bus', buses.EventBuses, ({ Name }) => Name);
  // Of the default bus: the schedules.
  const rules = await aws.events.send(new ListRulesCommand({ NamePrefix: prefix }));
  add('rule', rules.Rules, ({ Name }) => Name);
  const archives = await aws.events.send(new ListArchivesCommand({}));
  add('archive of', archives.Archives, ({ EventSourceArn }) => EventSourceArn?.split('/').at(-1));
  const logs = await aws.logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: `/aws/lambda/${prefix}` }));
  add('log group /aws/lambda/', logs.logGroups, ({ logGroupName }) => logGroupName?.slice(12));
  const alarms = await aws.cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: prefix }));
  add('alarm', alarms.MetricAlarms, ({ AlarmName }) => AlarmName);
  const dashboards = await aws.cloudwatch.send(new ListDashboardsCommand({ DashboardNamePrefix: name }));
  add('dashboard', dashboards.DashboardEntries, ({ DashboardName }) => DashboardName);
  for await (const { Topics } of paginateListTopics({ client: aws.sns }, {}))
    add('topic', Topics, ({ TopicArn }) => TopicArn?.split(':').at(-1));
  for await (const { Roles } of paginateListRoles({ client: aws.iam }, {}))
    add('role', Roles, ({ RoleName }) => RoleName);
  const buckets = await aws.s3.send(new ListBucketsCommand({}));
  add('bucket', buckets.Buckets, ({ Name }) => Name);
  return found;
}
