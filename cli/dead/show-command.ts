/** `outgraph dead show`: one dead event, and what to do about it. */
import { Command } from 'commander';
import { escapeUnprintable } from '../../lib/contract/printable.ts';
import { withOutbox } from '../databases.ts';
import { exitCodesText } from '../exit-codes.ts';
import { type Answer, graphOf, readSettingsWithGraph, runCommand } from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import type { NewerState, ShownEvent, ShowResult } from './dead-event.ts';
import { showDead } from './read-dead.ts';
import { cell, eventId, timeText } from './selection-options.ts';

interface ShowOptions {
  readonly payload?: true;
  readonly json?: true;
}

const help = `
Example:
  outgraph dead show 66a0c0ffee0123456789abcd

It prints why the event is dead, what to do, and whether a newer state of its
aggregate is known. It also queries the graph if NEO4J_URI is set. The payload
may hold personal data: it is printed only with --payload, as Extended JSON.`;

/** The command. */
export function deadShowCommand(shell: Shell): Command {
  return new Command('show')
    .description('Show why an event is dead, and what to do about it.')
    .argument('<event>', "the event's id (24 hexadecimal digits)", eventId)
    .option('--payload', 'also print its payload')
    .option('--json', 'print the result as one line of JSON')
    .addHelpText('after', `${help}\n${exitCodesText()}`)
    .action((id: string, options: ShowOptions) => runShow(shell, id, options));
}

async function runShow(shell: Shell, id: string, options: ShowOptions): Promise<void> {
  const settings = await readSettingsWithGraph(shell);
  return runCommand(shell, options, () =>
    withOutbox(settings, async (db): Promise<Answer> => {
      const withPayload = options.payload === true;
      const result = await showDead(db, id, { graph: graphOf(settings), withPayload });
      const { outcome: found, ...rest } = result;
      return {
        outcome: found === 'unknown' ? 'wrong' : 'done',
        text: resultText(id, result, withPayload),
        facts: { found, ...rest },
      };
    }),
  );
}

function resultText(id: string, result: ShowResult, withPayload: boolean): string {
  if (result.outcome === 'unknown')
    return `No event ${id} is in the outbox or in outboxDiscarded. It may have been processed and purged.`;
  if (result.outcome === 'not-dead') return `The event ${id} is not dead: it is ${result.status}.`;
  return shownText(result, withPayload);
}

function shownText({ event, hint, newer, graphUnread, discarded, payload }: ShownEvent, withPayload: boolean): string {
  const fields: readonly (readonly [string, string | number | null])[] = [
    ['event', event.eventId],
    ['aggregate', cell(`${event.aggregateType}:${event.aggregateId}`, 1_000)],
    ['operation', event.operation],
    ['position', event.position],
    ['created', event.createdAt === null ? null : timeText(event.createdAt)],
    ['attempts', event.attempts],
    ['traceparent', event.traceparent === null ? null : cell(event.traceparent, 100)],
    ['dead since', timeText(event.deadAt)],
    ['discarded', discarded === null ? null : `${timeText(discarded.at)}: ${cell(discarded.reason, 1_000)}`],
    ['code', cell(event.code, 100)],
    ['message', cell(event.message, 2_000)],
    ['means', hint?.reason ?? null],
    ['where', event.code === 'projection-failed' ? whereText(event) : null],
    ['do', discarded === null ? (hint?.remedy ?? null) : null],
    ['newer', `${newerTexts[newer]}${graphUnread === null ? '' : ` (the graph was not queried: ${graphUnread})`}`],
  ];
  const lines = fields.flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(13)}${value}`]));
  const payloadText = () => JSON.stringify(payload, undefined, 2).split('\n').map(escapeUnprintable).join('\n');
  const shownPayload = withPayload ? [`${'payload'.padEnd(13)}${payload === undefined ? '' : payloadText()}`] : [];
  return [...lines, ...shownPayload].join('\n');
}

/** The event has only the name of the error, because its message may contain values. */
function whereText({ aggregateType, aggregateId }: ShownEvent['event']): string {
  const aggregate = cell(`${aggregateType} ${aggregateId}`, 1_000);
  return `run "outgraph show ${aggregate}" with the --catalog of the consumer: it prints the error and its stack`;
}

const newerTexts: Readonly<Record<NewerState, string>> = {
  applied: 'the graph has a newer state of the aggregate: this event has no effect any more',
  pending: 'a newer event of the aggregate is pending, and will supersede this one',
  dead: 'the newest event of the aggregate is a different one, which is dead too',
  none: 'nothing: the graph stays behind the document until this event or a newer one is applied',
};
