/** `outgraph dead list`: counts dead events by code and type, and lists the newest. */
import { Command } from 'commander';
import { withOutbox } from '../databases.ts';
import { exitCodesText } from '../exit-codes.ts';
import { type Answer, count, readOutboxSettings, runCommand } from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import { table } from '../terminal/table.ts';
import type { DeadList } from './dead-event.ts';
import type { DiscardedRow } from './mongodb-discarded.ts';
import { listDead, listDiscarded } from './read-dead.ts';
import {
  addSelectionOptions,
  cell,
  countText,
  type SelectionOptions,
  selectionOf,
  timeText,
} from './selection-options.ts';

interface ListOptions extends SelectionOptions {
  readonly limit: number;
  readonly discarded?: true;
  readonly json?: true;
}

const help = `
Examples:
  outgraph dead list
  outgraph dead list --code payload-invalid --limit 100
  outgraph dead list --discarded --type order`;

/** The command. */
export function deadListCommand(shell: Shell): Command {
  const command = new Command('list').description('Count dead events by code and type, and list the newest.');
  return addSelectionOptions(command)
    .option('--limit <count>', 'list at most this many events', count, 20)
    .option('--discarded', 'list discarded events instead')
    .option('--json', 'print the result as one line of JSON')
    .addHelpText('after', `${help}\n${exitCodesText()}`)
    .action((options: ListOptions) => runList(shell, options));
}

async function runList(shell: Shell, options: ListOptions): Promise<void> {
  const settings = await readOutboxSettings(shell);
  const selection = selectionOf(options);
  return runCommand(shell, options, () =>
    withOutbox(settings, async (db): Promise<Answer> => {
      if (options.discarded) {
        const events = await listDiscarded(db, selection, options.limit);
        return { outcome: 'done', text: discardedText(events), facts: { discarded: events } };
      }
      const list = await listDead(db, selection, options.limit);
      return { outcome: 'done', text: listText(list), facts: { ...list } };
    }),
  );
}

function listText({ groups, isCapped, events }: DeadList): string {
  const total = groups.reduce((sum, group) => sum + group.events, 0);
  if (total === 0) return 'No dead event matches.';
  const headline = isCapped
    ? `At least ${countText(total, 'dead event')}. By code and type, the newest of them:`
    : `${countText(total, 'dead event')}.`;
  const byCode = table(
    ['code', 'type', 'events', 'oldest', 'newest'],
    groups.map((one) => [
      cell(one.code, 40),
      cell(one.aggregateType, 64),
      one.events,
      timeText(one.oldest),
      timeText(one.newest),
    ]),
  );
  if (events.length === 0) return `${headline}\n\n${byCode}`;
  const rows = table(
    ['dead since', 'event', 'aggregate', 'code', 'message'],
    events.map((event) => [
      timeText(event.deadAt),
      event.eventId,
      cell(`${event.aggregateType}:${event.aggregateId}`, 50),
      cell(event.code, 40),
      cell(event.message, 90),
    ]),
  );
  const rest = total > events.length ? [`… and ${(total - events.length).toLocaleString('en-US')} more: --limit`] : [];
  return [headline, '', byCode, '', rows, ...rest, '', '`outgraph dead show EVENT` explains what to do.'].join('\n');
}

function discardedText(events: readonly DiscardedRow[]): string {
  if (events.length === 0) return 'No discarded event matches.';
  return table(
    ['discarded', 'event', 'aggregate', 'code', 'reason'],
    events.map((event) => [
      timeText(event.discardedAt),
      event.eventId,
      cell(`${event.aggregateType}:${event.aggregateId}`, 50),
      cell(event.code, 40),
      cell(event.reason, 90),
    ]),
  );
}
