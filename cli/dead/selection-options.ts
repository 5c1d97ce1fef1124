/** The options that select dead events, and helpers for their text. */
import { type Command, InvalidArgumentError } from 'commander';
import { dataFaultCodes } from '../../lib/contract/fault.ts';
import { aggregateTypePattern } from '../../lib/contract/outbox-event.ts';
import { printable } from '../../lib/contract/printable.ts';
import { collect } from '../terminal/run-command.ts';
import { isDataFaultCode } from './code-hints.ts';
import type { DeadSelection } from './dead-event.ts';

export interface SelectionOptions {
  readonly all?: true;
  readonly code?: readonly string[];
  readonly type?: readonly string[];
  readonly id?: readonly string[];
}

/** Adds `--code`, `--type`, `--id` and `--all`. */
export function addSelectionOptions(command: Command): Command {
  return command
    .option('--code <code>', 'events with this error.code; repeatable', collect(code))
    .option('--type <type>', 'events of this aggregate type; repeatable', collect(type))
    .option('--id <id>', 'the event with this id (24 hexadecimal digits); repeatable', collect(eventId))
    .option('--all', 'all dead events');
}

/** Without any option, selects all dead events. */
export function selectionOf({ code = [], type = [], id = [] }: SelectionOptions): DeadSelection {
  return { codes: code, aggregateTypes: type, eventIds: id };
}

/**
 * For a command that changes events. Exits with wrong use if nothing is selected, or if `--all` is
 * combined with other options.
 */
export function chosenOrExit(options: SelectionOptions, command: Command): DeadSelection {
  const isNarrowed = (options.code ?? options.type ?? options.id) !== undefined;
  if (isNarrowed === (options.all === true)) command.error('error: choose events with --code, --type, --id, or --all');
  return selectionOf(options);
}

export function eventId(text: string): string {
  if (/^[0-9a-f]{24}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be 24 lower-case hexadecimal digits.');
}

/** A writer's text, shortened for a table cell. */
export function cell(text: string, maxCharacters: number): string {
  const whole = printable(text);
  return whole.length > maxCharacters ? `${whole.slice(0, maxCharacters - 1)}…` : whole;
}

/** "1 event", "1,200 events". */
export function countText(count: number, what: string): string {
  return `${count.toLocaleString('en-US')} ${what}${count === 1 ? '' : 's'}`;
}

/** A time with a precision of seconds. */
export function timeText(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

function code(text: string): string {
  if (isDataFaultCode(text)) return text;
  throw new InvalidArgumentError(`It must be one of ${dataFaultCodes.join(', ')}.`);
}

function type(text: string): string {
  if (aggregateTypePattern.test(text)) return text;
  throw new InvalidArgumentError('It must be an aggregate type: lower-case words joined by hyphens.');
}
