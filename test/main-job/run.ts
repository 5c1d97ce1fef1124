/**
 * `npm start`: the whole path on real input. Starts the stack, writes the calendars through tracked collections, waits until every event is settled,
 * and compares the graph with the documents. Exits 0 only if they are equal.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { MongoClient } from 'mongodb';
import { runWithStack } from '../../infra/local/run-with-stack.ts';
import type { Stack } from '../../infra/local/stack.ts';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { connectGraph } from '../connect-graph.ts';
import { listRegions, readCalendar } from './calendars.ts';
import { compareGraph } from './compare-graph.ts';
import { countApplied, readLag, readOutboxFigures, withoutCanaries } from './outbox-figures.ts';
import { showProgress } from './show-progress.ts';
import { type JobSummary, summaryText } from './summary.ts';
import { countWrites, type WritingProgress, writeCalendars } from './write-calendars.ts';

const options = new Command('npm start --')
  .description('Runs outgraph from end to end on real input, and compares the graph with the documents.')
  .option('--small', 'take 20 regions instead of all 628')
  .option('--json', 'print the summary as JSON, as the last line')
  .option('--keep', 'leave the stack up at the end, until Ctrl-C')
  .parse()
  .opts<{ small?: true; json?: true; keep?: true }>();

const smallRegions = 20;

/** Nothing was settled for this long: something is broken, and waiting on would not mend it. */
const stalledMillis = 120_000;

await runWithStack({ mongodbMembers: 3, keep: options.keep === true, run: runMainJob });

async function runMainJob(stack: Stack, signal: AbortSignal): Promise<number> {
  const { description, logsFolder } = stack;
  const client = new MongoClient(description.mongodbUri);
  const db = client.db(description.mongodbDatabase);
  const outbox = db.collection(outboxCollection);
  const driver = connectGraph(description);
  try {
    if ((await outbox.findOne(withoutCanaries)) !== null) {
      throw new Error(
        `The outbox of database ${description.mongodbDatabase} is not empty: set MONGODB_DATABASE to a fresh one.`,
      );
    }
    const calendars = listRegions(options.small ? smallRegions : undefined).map(readCalendar);
    const startedAt = performance.now();
    const progress: WritingProgress = { written: 0 };
    const writing = writeCalendars(client, db, calendars, progress, signal);
    await watch(writing, progress, countWrites(calendars), outbox, signal);
    const seconds = (performance.now() - startedAt) / 1000;

    const figures = await readOutboxFigures(outbox);
    const applied = await countApplied(outbox, logsFolder, description.functions.consumer);
    const summary: JobSummary = {
      regions: calendars.length,
      documents: progress.written,
      ...figures,
      applied,
      superseded: applied === null ? null : figures.processed - applied,
      seconds,
      eventsPerSecond: figures.processed / seconds,
      lagMillis: await readLag(outbox),
      ...(await compareGraph(db, driver, process.env.NEO4J_DATABASE ?? 'neo4j')),
    };
    process.stdout.write(summaryText(summary));
    if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
    return summary.differences.length === 0 && summary.dead === 0 && summary.pending === 0 ? 0 : 1;
  } finally {
    await Promise.all([client.close(), driver.close()]);
  }
}

/** Shows the progress until all is written and nothing is pending, or nothing moves any more. */
async function watch(
  writing: Promise<void>,
  progress: WritingProgress,
  writes: number,
  outbox: Parameters<typeof readOutboxFigures>[0],
  signal: AbortSignal,
): Promise<void> {
  const display = showProgress(writes);
  let written = false;
  let failure: { readonly error: unknown } | undefined;
  writing.then(
    () => {
      written = true;
    },
    (error: unknown) => {
      failure = { error };
    },
  );
  let settled = 0;
  let settledAt = performance.now();
  try {
    for (;;) {
      signal.throwIfAborted();
      if (failure !== undefined) throw failure.error;
      const figures = await readOutboxFigures(outbox);
      const oldest = await outbox.findOne(
        { ...withoutCanaries, status: 'pending' },
        { sort: { position: 1 }, projection: { createdAt: 1 } },
      );
      const lagSeconds = oldest === null ? 0 : (Date.now() - (oldest.createdAt as Date).getTime()) / 1000;
      display.update({ written: progress.written, applied: figures.processed, pending: figures.pending, lagSeconds });
      if (written && figures.pending === 0) return;
      if (figures.processed + figures.dead > settled) {
        settled = figures.processed + figures.dead;
        settledAt = performance.now();
      } else if (written && performance.now() - settledAt > stalledMillis) {
        process.stderr.write(
          `\n  No event was settled for ${stalledMillis / 1000} s; ${figures.pending} are still pending.\n`,
        );
        return;
      }
      await sleep(250);
    }
  } finally {
    display.end();
  }
}
