/** `outgraph remove-source`: removes from the graph what one outbox brought. */
import { Command } from 'commander';
import { keysIn, withGraph, withOutbox } from '../databases.ts';
import {
  type Answer,
  addChangeOptions,
  type ChangeOptions,
  Refusal,
  readDatabaseSettings,
  runCommand,
} from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import { countAggregates } from './neo4j-remove-entries.ts';
import { removeSource } from './remove-source.ts';

const help = `
Example:
  OUTGRAPH_SOURCE=shop outgraph remove-source

Stop the worker, or the consumer and the sweep, of this outbox first. It removes
the aggregates of OUTGRAPH_SOURCE from the graph, their tombstones, and the
binding of the source to its outbox. Without a source, it removes everything
that this outbox brought. Aggregates of other sources, elements that they share
and nodes that outgraph did not create stay. Documents and outbox do not change.

It is the first step when you rename a source or give one to an outbox that had
none: docs/how-to/several-outboxes.md. After a failure, run it again.`;

/** The command. */
export function removeSourceCommand(shell: Shell): Command {
  const command = new Command('remove-source').addHelpText('after', help);
  return addChangeOptions(command, { default: 1_000, what: 'aggregates' }).action((options: ChangeOptions) =>
    runRemoveSource(shell, options),
  );
}

async function runRemoveSource(shell: Shell, options: ChangeOptions): Promise<void> {
  const settings = await readDatabaseSettings(shell);
  const keys = keysIn(settings);
  const name = keys.source === '' ? 'the outbox' : `the source "${keys.source}"`;
  return runCommand(shell, options, (terminal) =>
    withOutbox(settings, (db) =>
      withGraph(db, settings, async (driver): Promise<Answer> => {
        const database = settings.NEO4J_DATABASE;
        const aggregates = await countAggregates(driver, database, keys);
        await terminal.confirm(
          `Removes ${aggregates} aggregates of ${name} from the graph, and its binding. ` +
            'Its worker or consumer must not be running.',
        );
        const { outcome, removed } = await removeSource(
          { driver, database, keys },
          {
            ratePerSecond: options.rate,
            signal: terminal.signal,
            progress: terminal.showProgress(aggregates, 'aggregates'),
          },
        );
        if (outcome === 'written')
          throw new Refusal(
            `${removed} aggregates of ${name} are removed, but others were written in the meantime. Stop its worker, ` +
              'or its consumer and sweep, and run it again.',
            { removed },
          );
        const rest = outcome === 'interrupted' ? ' Interrupted: run it again to continue.' : ' The binding is removed.';
        return { outcome, text: `${removed} aggregates of ${name} removed.${rest}`, facts: { removed } };
      }),
    ),
  );
}
