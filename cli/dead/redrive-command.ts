/** `outgraph dead redrive`: dead events become pending again. */
import { Command } from 'commander';
import { readOutboxTime, withOutbox } from '../databases.ts';
import { countRedrive, redrive } from '../replay/return-events.ts';
import {
  type Answer,
  addChangeOptions,
  type ChangeOptions,
  readOutboxSettings,
  runCommand,
} from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import type { DeadSelection } from './dead-selection.ts';
import { addSelectionOptions, chosenOrExit, countText, type SelectionOptions } from './selection-options.ts';

type RedriveOptions = ChangeOptions & SelectionOptions;

const help = `
What it does: sets the events to pending, with no attempts and without their error, and forgets how often they were tried and met in conflict. The sweep
publishes them within a minute or two. Nothing is redriven twice; what dies again meanwhile stays dead.

It is safe for the graph: an event that is older than what the graph knows of its aggregate, also of one that was deleted, has no effect.
But it does not mend anything: redrive when the reason in error.message is gone (a projection corrected, an aggregate declared, a node let go of).

Meanwhile OldestPendingAge tells the events' true ages, so that its alarm may go off for some minutes.

Examples:
  outgraph dead redrive --code aggregate-type-unknown       after the type was added to the catalog
  outgraph dead redrive --type memory-event --rate 20       slowly
  outgraph dead redrive --id 66a0c0ffee0123456789abcd       one
  outgraph dead redrive --all`;

/** The command. */
export function deadRedriveCommand(shell: Shell): Command {
  const command = new Command('redrive').description(
    'Makes dead events pending again, once the reason is gone: all of them, or those of some codes, types or ids.',
  );
  addSelectionOptions(command).addHelpText('after', help);
  return addChangeOptions(command, { default: 100, what: 'events' }).action((options: RedriveOptions) =>
    runRedrive(shell, chosenOrExit(options, command), options),
  );
}

async function runRedrive(shell: Shell, selection: DeadSelection, options: RedriveOptions): Promise<void> {
  const settings = await readOutboxSettings(shell);
  return runCommand(shell, options, (terminal) =>
    withOutbox(settings, async (db): Promise<Answer> => {
      const until = await readOutboxTime(db);
      const dead = await countRedrive(db, selection, until);
      if (dead === 0) return { outcome: 'done', text: 'There are no such dead events.', facts: { redriven: 0 } };
      await terminal.confirm(`Makes ${countText(dead, 'dead event')} pending again, ${options.rate} a second at most.`);
      const { outcome, changed } = await redrive(db, selection, until, {
        ratePerSecond: options.rate,
        signal: terminal.signal,
        progress: terminal.showProgress(dead, 'events'),
      });
      const left = outcome === 'interrupted' ? ' Interrupted: the others are still dead; run it again to go on.' : '';
      return { outcome, text: `${countText(changed, 'event')} pending again.${left}`, facts: { redriven: changed } };
    }),
  );
}
