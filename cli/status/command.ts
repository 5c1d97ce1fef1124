/** `outgraph status`: is the graph in step, and if not, where do events wait? */
import { Command, InvalidArgumentError } from 'commander';
import type { Db } from 'mongodb';
import { describeError, Fault } from '../../lib/contract/fault.ts';
import { statusSettings } from '../../lib/runtime/settings.ts';
import { sleepUnless, withOutbox } from '../databases.ts';
import { exitCodesText } from '../exit-codes.ts';
import { type BlockScreen, createBlockScreen } from '../terminal/block-screen.ts';
import { readSettingsOrExit } from '../terminal/read-settings.ts';
import { type Answer, runCommand } from '../terminal/run-command.ts';
import { runUntilInterrupted, type Stream } from '../terminal/run-until-interrupted.ts';
import { type Shell, untilAborted } from '../terminal/shell.ts';
import type { StatusReport } from './status-report.ts';
import { statusText } from './text.ts';
import { createQueueReader, readStatus } from './wiring.ts';

interface StatusCommandOptions {
  readonly watch?: number | true;
  readonly json?: true;
}

const watchSeconds = 2;

const help = `
Examples:
  outgraph status
  outgraph status --watch            again every 2 seconds, until Ctrl-C
  outgraph status --watch 30 --json >> status.jsonl

  in step      no event is stale or dead, and the last canary was applied
  catching up  events wait, and are being settled
  out of step  events wait and none is settled, or events are dead: exit code 4

It reads the outbox, the leases and the queue, not the graph: "outgraph verify"
compares that. Settings: MONGODB_URI, MONGODB_DATABASE; QUEUE_URL and
DEAD_LETTER_QUEUE_URL if there is a queue; SWEEP_STALE_SECONDS.`;

/** The command. */
export function statusCommand(shell: Shell): Command {
  return new Command('status')
    .option('--watch [seconds]', `repeat at this interval (default: ${watchSeconds}), until Ctrl-C`, seconds)
    .option('--json', 'print one line of JSON each time')
    .addHelpText('after', `${help}\n${exitCodesText()}`)
    .action((options: StatusCommandOptions) => runStatus(shell, options));
}

async function runStatus(shell: Shell, { watch: every, ...options }: StatusCommandOptions): Promise<void> {
  const json = options.json === true;
  const settings = await readSettingsOrExit(shell, statusSettings);
  const staleSeconds = settings.SWEEP_STALE_SECONDS;
  const queues = createQueueReader(settings);
  const read = (db: Db) => readStatus({ db, queues }, { staleSeconds });
  try {
    if (every === undefined)
      return await runCommand(shell, json ? { json } : {}, () =>
        withOutbox(settings, async (db): Promise<Answer> => {
          const report = await read(db);
          return { outcome: outcomeOf(report), text: statusText(report), facts: { ...report } };
        }),
      );
    const millis = (every === true ? watchSeconds : every) * 1_000;
    await runUntilInterrupted(shell, json, (stream) =>
      withOutbox(settings, (db) => watch(() => read(db), { millis, json }, stream, createBlockScreen(shell.stdout))),
    );
  } finally {
    queues?.close();
  }
}

function outcomeOf({ verdict }: StatusReport): 'different' | 'done' {
  return verdict === 'out-of-step' ? 'different' : 'done';
}

/**
 * Reads the status repeatedly. The first read must succeed. Later, an unavailable server is
 * reported and retried.
 */
async function watch(
  read: () => ReturnType<typeof readStatus>,
  { millis, json }: { readonly millis: number; readonly json: boolean },
  { signal, print }: Stream,
  screen: BlockScreen,
): Promise<void> {
  const ended = untilAborted(signal).then(() => null);
  let succeeded = false;
  try {
    while (!signal.aborted) {
      try {
        const report = await Promise.race([read(), ended]);
        if (report === null) return;
        succeeded = true;
        if (json) print(JSON.stringify({ outcome: outcomeOf(report), ...report }));
        else screen.show(statusText(report));
      } catch (error) {
        if (!succeeded || !(error instanceof Fault) || !error.retryable) throw error;
        const { reason } = describeError(error);
        if (json) print(JSON.stringify({ outcome: 'failed', reason }));
        else screen.show(`${reason} Trying again.`);
      }
      await sleepUnless(signal, millis);
    }
  } finally {
    screen.end();
  }
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value >= 0.1 && value <= 86_400))
    throw new InvalidArgumentError('It must be a number of seconds, from 0.1 to 86400.');
  return value;
}
