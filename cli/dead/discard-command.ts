/** `outgraph dead discard`: dead events that shall never be applied leave the outbox. */
import { Command, InvalidArgumentError } from 'commander';
import { printable } from '../../lib/contract/printable.ts';
import { readOutboxTime, withOutbox } from '../databases.ts';
import {
  type Answer,
  addChangeOptions,
  type ChangeOptions,
  graphOf,
  readSettingsWithGraph,
  runCommand,
} from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import type { DeadSelection } from './dead-selection.ts';
import { type DiscardPlan, discard, planDiscard } from './discard.ts';
import { addSelectionOptions, cell, chosenOrExit, countText, type SelectionOptions } from './selection-options.ts';

interface DiscardOptions extends ChangeOptions, SelectionOptions {
  readonly reason: string;
}

const help = `
What it does: moves events that are dead from the outbox to the collection outboxDiscarded, whole, with the time and your reason. They can never be redriven after that, and no alarm tells of them any more.
\`outgraph dead list --discarded\` shows them, until somebody removes them there.

The graph is not touched. Where a discarded event was the newest of its aggregate, the graph stays behind the document: it says so before it asks. \`outgraph verify\` finds such aggregates; writing the document
again, or \`outgraph repair\`, mends them. The graph is asked what it knows where NEO4J_URI is set.

To be used for what should never have been written. If the reason can be mended: outgraph dead redrive.
The user needs the role of the part "discard" (docs/security.md): the operator's removes no event.

Killed or interrupted, each event is in one of the two collections; run it again to go on. Where it was killed in the middle of a transaction, MongoDB gives that up within a minute, and the next run waits for it.

Examples:
  outgraph dead discard --id 66a0c0ffee0123456789abcd --reason "written by a test"
  outgraph dead discard --type cart --code aggregate-type-unknown --reason "carts are not in the graph since May"`;

const maxReason = 500;

/** The command. */
export function deadDiscardCommand(shell: Shell): Command {
  const command = new Command('discard')
    .description('Takes dead events that shall never be applied out of the outbox, and keeps them apart with a reason.')
    .requiredOption('--reason <text>', `why, for whoever asks later; at most ${maxReason} characters`, reason);
  addSelectionOptions(command).addHelpText('after', help);
  return addChangeOptions(command, { default: 100, what: 'events' }).action((options: DiscardOptions) =>
    runDiscard(shell, chosenOrExit(options, command), options),
  );
}

async function runDiscard(shell: Shell, selection: DeadSelection, options: DiscardOptions): Promise<void> {
  const settings = await readSettingsWithGraph(shell);
  return runCommand(shell, options, (terminal) =>
    withOutbox(settings, async (db): Promise<Answer> => {
      const until = await readOutboxTime(db);
      const plan = await planDiscard(db, graphOf(settings), selection, until);
      if (plan.events === 0)
        return { outcome: 'done', text: 'There are no such dead events.', facts: { discarded: 0, behind: [] } };
      await terminal.confirm(planText(plan, options));
      const { outcome, changed } = await discard(db, selection, until, options.reason, {
        ratePerSecond: options.rate,
        signal: terminal.signal,
        progress: terminal.showProgress(plan.events, 'events'),
      });
      const left = outcome === 'interrupted' ? ' Interrupted: the others are still dead; run it again to go on.' : '';
      return {
        outcome,
        text: `${countText(changed, 'event')} discarded.${left}`,
        facts: { discarded: changed, behind: plan.behind },
      };
    }),
  );
}

function planText({ events, behind, isCapped, graphUnread }: DiscardPlan, options: DiscardOptions): string {
  const lines = [
    `Moves ${countText(events, 'dead event')} from the outbox to outboxDiscarded for good, ${options.rate} a second at most, with the reason "${options.reason}".`,
  ];
  if (behind.length > 0) {
    const named = behind.slice(0, 5).map((key) => cell(key, 80));
    const more = behind.length > named.length ? ` and ${behind.length - named.length} more` : '';
    lines.push(
      `WARNING: nothing newer is known of ${named.join(', ')}${more}: the graph stays behind ${behind.length === 1 ? 'its document' : 'their documents'}. \`outgraph verify\` finds that; writing the document again, or \`outgraph repair\`, mends it.`,
    );
  }
  if (isCapped) lines.push('Not all of them were looked at for that: there are too many.');
  if (graphUnread !== null)
    lines.push(
      `The graph was not asked what it knows (${graphUnread}): what was applied and purged counts as unknown.`,
    );
  return lines.join('\n');
}

function reason(text: string): string {
  const given = text.trim();
  if (given === '') throw new InvalidArgumentError('It must say why.');
  if ([...given].length > maxReason) throw new InvalidArgumentError(`It must have at most ${maxReason} characters.`);
  return printable(given);
}
