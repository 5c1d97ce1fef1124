/** What a run will do and cost, before it spends anything. */
import { waveText } from './events.ts';
import { isLocalstack, type SmokeStage } from './stage.ts';

/** List prices in US dollars; docs/explanation/cost.md has their sources. */
const gigabyteSecond = 0.0000133334;
const millionEntries = 1;
const millionRequests = 0.4;
const logGigabyte = 0.5;
/** 24 metrics, 13 alarms and a dashboard. */
const cloudWatchMonth = 11.5;

/** An upper bound: all functions run all the time, and no event shares a message. */
export function estimateDollars(events: number, minutes: number): number {
  const gigabytes = 0.5 + 0.5 + 4 * 1;
  const lambda = minutes * 60 * gigabytes * gigabyteSecond;
  const messages = (events / 1_000_000) * (millionEntries + 3 * millionRequests);
  const cloudWatch = (Math.ceil(minutes / 60) / 730) * cloudWatchMonth + 0.05 * logGigabyte;
  return lambda + messages + cloudWatch;
}

export function planText(stage: SmokeStage, account: string, minutes: number): string {
  const events = stage.waves.reduce((sum, { count }) => sum + count, 1);
  const dollars = estimateDollars(2 * events, minutes).toFixed(2);
  const where = isLocalstack(stage) ? `LocalStack (${stage.endpoint})` : `the AWS account ${account}, ${stage.region}`;
  return [
    stage.existing
      ? `Examine the stage ${stage.name} in ${where}. It is neither deployed nor removed.`
      : `Deploy the stage ${stage.name} in ${where}, examine it, and remove it again.`,
    `Documents are written to ${stage.databases.MONGODB_DATABASE}.graphs and deleted again: ` +
      `${stage.waves.map(waveText).join(', ')}.`,
    `It takes at most ${minutes} minutes and the removal. By list prices, AWS bills at most about $${dollars}.`,
    'MongoDB, Neo4j and network traffic are not included.',
  ].join('\n');
}
