/** `outgraph replay`: processed events become pending again, for a graph that was restored from a backup. */

import { Command } from 'commander';
import type { Db } from 'mongodb';
import { readGraphTime, readOutboxTime, withOutbox } from '../databases.ts';
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
} from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import { planReplay, replay } from './return-events.ts';

interface ReplayOptions extends ChangeOptions {
  readonly since: Date | 'graph';
  readonly until?: Date;
  readonly marginSeconds: number;
}

const help = `
What it does: sets the events that were processed since then to pending. The sweep publishes them, a worker that is started again takes them at once. What the graph knows already
has no effect on it, so that too early a time costs nothing but time; too late a one leaves the graph behind.

--since is the moment of the backup: when it was begun. "graph" finds it in the graph that NEO4J_URI names, which must be the restored one: it is when the newest canary
that it knows was written, at most a minute or so before the backup. From either, --margin-seconds are taken off, because clocks differ.

The outbox keeps processed events for PROCESSED_RETENTION_DAYS. If the backup is older, a replay cannot mend the graph, and is refused: use
"outgraph reproject … --forget-missing".

Interrupted, it says how to go on.

Examples:
  outgraph replay --since graph
  outgraph replay --since 2026-11-25T03:00:00Z`;

/** The command. */
export function replayCommand(shell: Shell): Command {
  const command = new Command('replay')
    .description(
      'Makes events pending again that were processed since a backup of the graph was made, after the graph was restored from it.',
    )
    .requiredOption('--since <time>', 'when the backup was begun, or "graph"', (text) =>
      text === 'graph' ? text : moment(text),
    )
    .option('--until <time>', 'events that were processed before this; left out, before now', moment)
    .option('--margin-seconds <seconds>', 'how far clocks may differ', count, 300)
    .addHelpText('after', help);
  return addChangeOptions(command, { default: 5_000, what: 'events' }).action((options: ReplayOptions) =>
    runReplay(shell, options),
  );
}

async function runReplay(shell: Shell, options: ReplayOptions): Promise<void> {
  const settings = options.since === 'graph' ? await readDatabaseSettings(shell) : await readOutboxSettings(shell);
  return runCommand(shell, options, (terminal) =>
    withOutbox(settings, async (db): Promise<Answer> => {
      const moment = options.since === 'graph' ? await graphTime(db, shell) : options.since;
      const since = new Date(moment.getTime() - options.marginSeconds * 1000);
      const window = { since, until: options.until ?? (await readOutboxTime(db)) };
      const { events, keptSince } = await planReplay(db, window);
      if (keptSince !== null && keptSince > since)
        throw new Refusal(
          `What was processed before ${keptSince.toISOString()} is purged already, so that a replay since ${since.toISOString()} would leave gaps: use "outgraph reproject … --forget-missing".`,
        );
      const from = `since ${since.toISOString()}`;
      if (events === 0)
        return { outcome: 'done', text: `No event was processed ${from}.`, facts: { replayed: 0, ...texts(window) } };
      await terminal.confirm(
        `Makes ${events} events pending again that were processed ${from}, ${options.rate} a second at most.`,
      );
      const { outcome, changed } = await replay(db, window, {
        ratePerSecond: options.rate,
        signal: terminal.signal,
        progress: terminal.showProgress(events, 'events'),
      });
      const left =
        outcome === 'interrupted'
          ? ` Interrupted; go on with: outgraph replay --since ${since.toISOString()} --margin-seconds 0 --until ${window.until.toISOString()}`
          : '';
      return {
        outcome,
        text: `${changed} events are pending again.${left}`,
        facts: { replayed: changed, ...texts(window) },
      };
    }),
  );
}

async function graphTime(db: Db, shell: Shell): Promise<Date> {
  const time = await readGraphTime(db, await readDatabaseSettings(shell));
  if (time !== null) return time;
  throw new Refusal(
    'The graph knows no canary, so that nobody can tell from it how old it is: give the time of the backup.',
  );
}

function texts({ since, until }: { readonly since: Date; readonly until: Date }) {
  return { since: since.toISOString(), until: until.toISOString() };
}
