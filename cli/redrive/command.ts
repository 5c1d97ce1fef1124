/** `outgraph redrive`: makes dead or processed events pending again. */
import { Command } from 'commander';
import type { Db } from 'mongodb';
import { readGraphTime, readOutboxTime, withOutbox } from '../databases.ts';
import { addSelectionOptions, chosenOrExit, countText, type SelectionOptions } from '../dead/selection-options.ts';
import {
  type Answer,
  addChangeOptions,
  type ChangeOptions,
  count,
  moment,
  Refusal,
  readDatabaseSettings,
  readOutboxSettings,
  runCommand,
  type Terminal,
} from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import { planProcessedRedrive, planRedrive, redrive, redriveProcessed } from './redrive.ts';

interface RedriveOptions extends Omit<ChangeOptions, 'rate'>, SelectionOptions {
  readonly since?: Date | 'graph';
  readonly until?: Date;
  readonly marginSeconds: number;
  readonly rate?: number;
}

type RatedOptions = RedriveOptions & { readonly rate: number };

const defaultRate = { dead: 100, processed: 5_000 } as const;

const help = `
Examples:
  outgraph redrive --code aggregate-type-unknown   the type is declared now
  outgraph redrive --type order --rate 20          slowly
  outgraph redrive --id 66a0c0ffee0123456789abcd   one event
  outgraph redrive --since graph                   a backup was restored
  outgraph redrive --since 2026-11-25T03:00:00Z

Dead events: redrive them once the cause in error.message is fixed. They
become pending, with no attempts and no error; the sweep publishes them
within a minute or two.

Processed events, with --since: for a graph that was restored from a backup.
Pass the time when the backup was started, or "graph" to take it from the
newest canary in the graph of NEO4J_URI. --margin-seconds are subtracted. If
the outbox has purged events of that time, the command refuses: use
"outgraph backfill TYPE --prune".

Both are safe: an event older than the state in the graph has no effect.
Details: docs/reference/cli.md`;

/** The command. */
export function redriveCommand(shell: Shell): Command {
  const command = new Command('redrive');
  addSelectionOptions(command)
    .option('--since <time>', 'events processed since this time, or "graph"', (text) =>
      text === 'graph' ? text : moment(text),
    )
    .option('--until <time>', 'with --since: events processed before this (default: now)', moment)
    .option('--margin-seconds <seconds>', 'with --since: how far clocks may differ', count, 300)
    .addHelpText('after', help);
  const { dead, processed } = defaultRate;
  const rate = { default: `${dead}; with --since, ${processed}`, what: 'events' };
  return addChangeOptions(command, rate).action((options: RedriveOptions) => {
    const { since, code, type, id, all } = options;
    if (since === undefined) return redriveDead(shell, command, { ...options, rate: options.rate ?? defaultRate.dead });
    if ((code ?? type ?? id ?? all) !== undefined)
      command.error('error: --since takes all processed events: leave out --code, --type, --id and --all');
    return redriveSince(shell, since, { ...options, rate: options.rate ?? defaultRate.processed });
  });
}

async function redriveDead(shell: Shell, command: Command, options: RatedOptions): Promise<void> {
  const selection = chosenOrExit(options, command);
  const settings = await readOutboxSettings(shell);
  return runCommand(shell, options, (terminal) =>
    withOutbox(settings, async (db): Promise<Answer> => {
      const { events: dead, until } = await planRedrive(db, selection);
      if (dead === 0) return { outcome: 'done', text: 'No dead event matches.', facts: { redriven: 0 } };
      await terminal.confirm(`Makes ${countText(dead, 'dead event')} pending again, at most ${options.rate} a second.`);
      const { outcome, changed } = await redrive(db, selection, until, runningOf(options, terminal, dead));
      const rest =
        outcome === 'interrupted' ? ' Interrupted: the others are still dead; run it again to continue.' : '';
      return { outcome, text: `${countText(changed, 'event')} pending again.${rest}`, facts: { redriven: changed } };
    }),
  );
}

async function redriveSince(shell: Shell, time: Date | 'graph', options: RatedOptions): Promise<void> {
  const settings = time === 'graph' ? await readDatabaseSettings(shell) : await readOutboxSettings(shell);
  return runCommand(shell, options, (terminal) =>
    withOutbox(settings, async (db): Promise<Answer> => {
      const moment = time === 'graph' ? await graphTime(db, shell) : time;
      const since = new Date(moment.getTime() - options.marginSeconds * 1000);
      const window = { since, until: options.until ?? (await readOutboxTime(db)) };
      const { events, keptSince } = await planProcessedRedrive(db, window);
      if (keptSince !== null && keptSince > since)
        throw new Refusal(
          `Events processed before ${keptSince.toISOString()} are purged: redriving since ${since.toISOString()} ` +
            'would leave gaps. Use "outgraph backfill TYPE --prune" instead.',
        );
      const from = `since ${since.toISOString()}`;
      const times = { since: since.toISOString(), until: window.until.toISOString() };
      if (events === 0)
        return { outcome: 'done', text: `No event was processed ${from}.`, facts: { redriven: 0, ...times } };
      await terminal.confirm(
        `Makes ${countText(events, 'event')} processed ${from} pending again, at most ${options.rate} a second.`,
      );
      const { outcome, changed } = await redriveProcessed(db, window, runningOf(options, terminal, events));
      const again = `outgraph redrive --since ${times.since} --margin-seconds 0 --until ${times.until}`;
      const rest = outcome === 'interrupted' ? ` Interrupted; continue with: ${again}` : '';
      return {
        outcome,
        text: `${countText(changed, 'event')} pending again.${rest}`,
        facts: { redriven: changed, ...times },
      };
    }),
  );
}

function runningOf({ rate }: RatedOptions, terminal: Terminal, total: number) {
  return { ratePerSecond: rate, signal: terminal.signal, progress: terminal.showProgress(total, 'events') };
}

async function graphTime(db: Db, shell: Shell): Promise<Date> {
  const time = await readGraphTime(db, await readDatabaseSettings(shell));
  if (time !== null) return time;
  throw new Refusal('The graph has no canary, so its age is unknown: pass the time when the backup was started.');
}
