/** `outgraph dead discard`: moves dead events that will never be applied out of the outbox. */
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
import type { DeadSelection } from './dead-event.ts';
import { type DiscardPlan, discard, planDiscard } from './discard.ts';
import { addSelectionOptions, cell, chosenOrExit, countText, type SelectionOptions } from './selection-options.ts';

interface DiscardOptions extends ChangeOptions, SelectionOptions {
  readonly reason: string;
}

const help = `
Examples:
  outgraph dead discard --id 66a0c0ffee0123456789abcd --reason "a test"
  outgraph dead discard --type cart --reason "carts left the graph in May"

It moves the events to the collection outboxDiscarded, permanently: if you can
fix the cause, use "outgraph redrive" instead. The graph does not change. If a
discarded event was the newest of its aggregate, the graph stays behind its
document; you are warned first, and "outgraph verify --repair" corrects it.

It needs the MongoDB role "discard" (docs/explanation/security.md). If it is
killed, every event is in exactly one of the two collections; run it again to
continue.`;

const maxReason = 500;

/** The command. */
export function deadDiscardCommand(shell: Shell): Command {
  const command = new Command('discard')
    .description('Move dead events that will never be applied out of the outbox.')
    .requiredOption('--reason <text>', `why, kept with the event; at most ${maxReason} characters`, reason);
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
        return { outcome: 'done', text: 'No dead event matches.', facts: { discarded: 0, behind: [] } };
      await terminal.confirm(planText(plan, options));
      const { outcome, changed } = await discard(db, selection, until, options.reason, {
        ratePerSecond: options.rate,
        signal: terminal.signal,
        progress: terminal.showProgress(plan.events, 'events'),
      });
      const rest =
        outcome === 'interrupted' ? ' Interrupted: the others are still dead; run it again to continue.' : '';
      return {
        outcome,
        text: `${countText(changed, 'event')} discarded.${rest}`,
        facts: { discarded: changed, behind: plan.behind },
      };
    }),
  );
}

function planText({ events, behind, isCapped, graphUnread }: DiscardPlan, options: DiscardOptions): string {
  const lines = [
    `Moves ${countText(events, 'dead event')} from the outbox to outboxDiscarded permanently, ` +
      `at most ${options.rate} a second, with the reason "${options.reason}".`,
  ];
  if (behind.length > 0) {
    const named = behind.slice(0, 5).map((key) => cell(key, 80));
    const more = behind.length > named.length ? ` and ${behind.length - named.length} more` : '';
    const documents = behind.length === 1 ? 'its document' : 'their documents';
    lines.push(
      `WARNING: no newer event is known of ${named.join(', ')}${more}: the graph stays behind ${documents}. ` +
        '`outgraph verify` finds it. To correct it, write the document again or run `outgraph verify --repair`.',
    );
  }
  if (isCapped) lines.push('There are too many to check all of them for newer events.');
  if (graphUnread !== null)
    lines.push(
      `The graph was not queried (${graphUnread}): newer events that were applied and purged count as unknown.`,
    );
  return lines.join('\n');
}

function reason(text: string): string {
  const given = text.trim();
  if (given === '') throw new InvalidArgumentError('It must not be empty.');
  if ([...given].length > maxReason) throw new InvalidArgumentError(`It must have at most ${maxReason} characters.`);
  return printable(given);
}
