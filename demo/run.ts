/**
 * `npm start`: the whole path on real input. Starts the stack. For each selected input, writes it
 * through tracked collections, waits until every event is settled, and compares the graph with the
 * expected one. Exits 0 only if every graph is equal.
 */
import { Command } from 'commander';
import { MongoClient } from 'mongodb';
import { outboxCollection } from '../lib/contract/outbox-event.ts';
import { connectGraph } from '../test/support/connect-graph.ts';
import { runWithStack } from '../tools/local/run-with-stack.ts';
import type { Stack } from '../tools/local/stack.ts';
import { runCalendars } from './calendars-job.ts';
import { addInputs, defaultInputs, type InputName, inputNames } from './choose-inputs.ts';
import { runCode } from './code-job.ts';
import { runHolidays } from './holidays-job.ts';
import type { Job, JobContext } from './job.ts';
import { withoutCanaries } from './outbox-figures.ts';

const options = new Command('npm start --')
  .description('Runs outgraph from end to end on real input, and compares the graph with the expected one.')
  .option(
    '--input <names>',
    `inputs to run, separated by commas: ${inputNames.join(', ')} (default: ${defaultInputs.join(', ')})`,
    addInputs,
  )
  .option('--small', 'use a small part of each input')
  .option('--json', 'print the summary as JSON, as the last line')
  .option('--keep', 'keep the stack running at the end, until Ctrl-C')
  .parse()
  .opts<{ input?: readonly InputName[]; small?: true; json?: true; keep?: true }>();

const jobs: Readonly<Record<InputName, Job>> = { holidays: runHolidays, calendars: runCalendars, code: runCode };

await runWithStack({ mongodbMembers: 1, shortLived: true, keep: options.keep === true, run: runMainJob });

async function runMainJob({ description, logsFolder }: Stack, signal: AbortSignal): Promise<number> {
  const client = new MongoClient(description.mongodbUri);
  const db = client.db(description.mongodbDatabase);
  const driver = connectGraph(description);
  const context: JobContext = {
    client,
    db,
    outbox: db.collection(outboxCollection),
    driver,
    neo4jDatabase: process.env.NEO4J_DATABASE ?? 'neo4j',
    logsFolder,
    consumer: description.functions.consumer,
    small: options.small === true,
    signal,
  };
  try {
    if ((await context.outbox.findOne(withoutCanaries)) !== null) {
      throw new Error(
        `The outbox of database ${description.mongodbDatabase} is not empty: set MONGODB_DATABASE to a new one.`,
      );
    }
    const startedAt = performance.now();
    const summaries: object[] = [];
    let equal = true;
    for (const name of options.input ?? defaultInputs) {
      const result = await jobs[name](context);
      process.stdout.write(result.text);
      summaries.push(result.summary);
      equal &&= result.equal;
    }
    const seconds = (performance.now() - startedAt) / 1000;
    process.stdout.write(
      `${equal ? 'Every graph matches' : 'Not every graph matches'}, after ${seconds.toFixed(0)} s.\n`,
    );
    if (options.json) process.stdout.write(`${JSON.stringify({ equal, seconds, inputs: summaries })}\n`);
    return equal ? 0 : 1;
  } finally {
    await Promise.all([client.close(), driver.close()]);
  }
}
