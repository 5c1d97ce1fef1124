/**
 * `npm run soak -- --minutes N --seed S`: runs the convergence property for the given time on its
 * own Neo4j.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import fc from 'fast-check';
import { integer, positive } from '../../tools/command-options.ts';
import { stackFolder } from '../../tools/local/paths.ts';
import { runWithServers } from '../../tools/local/run-with-stack.ts';
import { type Servers, startServers } from '../../tools/local/servers.ts';
import { graphAddress } from '../support/connect-graph.ts';
import { createCheck, randomCase } from './property.ts';
import { openConvergence } from './servers.ts';

const options = new Command('npm run soak --')
  .description('Deliver random histories to Neo4j, inject faults, and compare the graph with the model after each.')
  .option('--minutes <count>', 'how long to run', positive, 10)
  .option('--seed <seed>', 'seed of the random histories; a failure prints it', integer)
  .option('--events <count>', 'events per history', positive, 24)
  .option('--universes <count>', 'histories to run side by side', positive, 4)
  .option('--json', 'print the result as one line of JSON')
  .parse()
  .opts<{ minutes: number; seed?: number; events: number; universes: number; json?: true }>();

const progressMillis = 5_000;

await runWithServers({
  start: (signal) => startServers({ wanted: ['neo4j'], mongodbMembers: 0, signal }),
  run: soak,
});

interface Figures {
  histories: number;
  events: number;
  disturbed: number;
}

async function soak(servers: Servers, signal: AbortSignal): Promise<number> {
  const seed = options.seed ?? Math.trunc(Math.random() * 0x7fffffff);
  const figures: Figures = { histories: 0, events: 0, disturbed: 0 };
  const progress = setInterval(
    () => process.stderr.write(`  ${figures.histories} histories (${figures.disturbed} disturbed) match the model\n`),
    progressMillis,
  );
  const failures = (
    await Promise.all(
      Array.from({ length: options.universes }, (_, number) => soakOne(servers, seed + number, figures, signal)),
    )
  ).flatMap((failure) => failure ?? []);
  clearInterval(progress);
  if (options.json) process.stdout.write(`${JSON.stringify({ ...figures, seed, failed: failures.length > 0 })}\n`);
  else process.stdout.write(`\n${figures.histories} histories with ${figures.events} events, seed ${seed}.\n`);
  if (failures.length > 0) {
    // Failures are rare and long, so they are also kept in a file.
    const file = path.join(stackFolder, 'soak-failure.txt');
    await writeFile(file, `${failures.join('\n\n')}\n`);
    process.stderr.write(`${failures.join('\n')}\n\nThe failing histories are also in ${file}.\n`);
  }
  return failures.length === 0 ? 0 : 1;
}

/** Runs the property in one universe. Returns the text of a failure, or undefined. */
async function soakOne(
  servers: Servers,
  seed: number,
  figures: Figures,
  signal: AbortSignal,
): Promise<string | undefined> {
  const convergence = await openConvergence(graphAddress(servers), process.env.NEO4J_DATABASE ?? 'neo4j');
  try {
    const check = createCheck(convergence.servers, convergence.universe);
    const property = fc.asyncProperty(randomCase(convergence.universe, options.events), async (one) => {
      signal.throwIfAborted();
      await check(one);
      figures.histories += 1;
      figures.events += one.history.length;
      figures.disturbed += one.faults === null ? 0 : 1;
    });
    const result = await fc.check(property, {
      numRuns: Number.MAX_SAFE_INTEGER,
      interruptAfterTimeLimit: options.minutes * 60_000,
      markInterruptAsFailure: false,
      // A failure also depends on timing, so a shrunk history may pass by chance.
      endOnFailure: true,
      seed,
    });
    return result.failed ? (fc.defaultReportMessage(result) ?? 'failed') : undefined;
  } finally {
    await convergence.close();
  }
}
