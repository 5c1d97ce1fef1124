/**
 * `npm run load -- --rate R --seconds S`: writes at a steady rate on the whole stack and reports
 * the lags. Then searches for the highest rate that keeps up, and reports what limits it. Exits 0
 * only if the requested rate was held and everything is settled.
 */
import { randomBytes } from 'node:crypto';
import { availableParallelism, loadavg } from 'node:os';
import { Command } from 'commander';
import { MongoClient } from 'mongodb';
import { graph } from '../../lib/projection/graph.ts';
import { connectGraph } from '../../test/support/connect-graph.ts';
import { hubNames } from '../../test/support/hub-document.ts';
import { positive } from '../../tools/command-options.ts';
import { printStep } from '../../tools/local/progress.ts';
import { runWithStack } from '../../tools/local/run-with-stack.ts';
import type { Stack } from '../../tools/local/stack.ts';
import { compareSettings } from './compare-settings.ts';
import { measureDrain } from './drain.ts';
import { findHighestRate, shortfall } from './find-highest-rate.ts';
import { measureHeadroom } from './headroom.ts';
import { measureLocalstack } from './localstack-pace.ts';
import { type LoadTarget, runStep } from './run-step.ts';
import { isGood, type LoadSummary, stepLine, summaryText } from './summary.ts';

const options = new Command('npm run load --')
  .description(
    'Writes at a steady rate on the whole stack, finds the highest rate that keeps up, and reports what limits it.',
  )
  .option('--rate <rate>', 'events per second', positive, 100)
  .option('--seconds <count>', 'duration in seconds', positive, 30)
  .option('--settings', 'compare pack settings at 1, 100 and 1,000 events a second instead')
  .option('--json', 'print the summary as JSON, as the last line')
  .parse()
  .opts<{ rate: number; seconds: number; settings?: true; json?: true }>();

/** If a slow step keeps up, functions and servers are warm. More steps than this would not help. */
const warmUpSeconds = 10;
const warmUpRate = 30;
const warmUpSteps = 5;

/** The length of each step of the search. */
const searchSeconds = 10;

await runWithStack({ mongodbMembers: 3, run: runLoad });

async function runLoad(stack: Stack, signal: AbortSignal): Promise<number> {
  const { description } = stack;
  const client = new MongoClient(description.mongodbUri);
  try {
    const db = client.db(description.mongodbDatabase);
    const run = randomBytes(4).toString('hex');
    const target: LoadTarget = { mongodbUri: description.mongodbUri, db, run, signal };
    await printStep('Warming up', () => warmUp(target));
    if (options.settings) {
      const results = await compareSettings(stack, target, say);
      if (options.json) process.stdout.write(`${JSON.stringify(results)}\n`);
      return 0;
    }
    const asked = await printStep(`Writing ${options.rate} events per second for ${options.seconds} s`, () =>
      runStep(target, 'asked', options.rate, options.seconds),
    );
    const loads = [loadavg()[0] ?? Number.NaN];
    say(stepLine(asked));
    let number = 0;
    const { highest, steps } = await findHighestRate(asked, async (rate, together) => {
      number += 1;
      const step = await runStep(target, `step${number}`, rate, searchSeconds, together);
      loads.push(loadavg()[0] ?? Number.NaN);
      say(stepLine(step));
      return step;
    });
    const summary: LoadSummary = {
      seconds: options.seconds,
      machine: { cores: availableParallelism(), loads },
      asked,
      steps,
      highestRate: highest?.held ?? null,
      documents: await db.collection<{ _id: string }>(graph.collection).countDocuments({ _id: ofRun(run) }),
      nodes: await countNodes(stack, run),
      drain: await printStep('Draining a backlog with packs and with single pointers', () => measureDrain(stack)),
      localstack: await printStep("Measuring LocalStack's own pace", () => measureLocalstack(stack)),
      headroom: await printStep('Measuring publisher and consumer alone', () => measureHeadroom(description)),
    };
    process.stdout.write(summaryText(summary));
    if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
    return isGood(summary) ? 0 : 1;
  } finally {
    await client.close();
  }
}

/** Ends when the functions have started and the servers have compiled the code that they run. */
async function warmUp(target: LoadTarget): Promise<void> {
  for (let index = 0; index < warmUpSteps; index += 1) {
    const step = await runStep(target, `warm${index}`, Math.min(options.rate, warmUpRate), warmUpSeconds);
    if (shortfall(step) === null) return;
  }
}

/** The ids that start with the run's name. */
function ofRun(run: string): { readonly $gte: string; readonly $lt: string } {
  return { $gte: `${run}-`, $lt: `${run}.` };
}

async function countNodes({ description }: Stack, run: string): Promise<number> {
  const driver = connectGraph(description);
  try {
    const { records } = await driver.executeQuery(`MATCH (n:${hubNames(run).node}) RETURN count(n) AS count`);
    return Number(records[0]?.get('count'));
  } finally {
    await driver.close();
  }
}

function say(line: string): void {
  process.stderr.write(`  ${line}\n`);
}
