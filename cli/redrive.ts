/** `outgraph redrive`: dead events become pending again. */
import { Command, InvalidArgumentError } from 'commander';
import type { DeadSelection } from '../lib/contract/dead-selection.ts';
import { dataFaultCodes } from '../lib/contract/fault.ts';
import { aggregateTypePattern } from '../lib/contract/outbox-event.ts';
import { readOutboxTime, withOutbox } from '../lib/wiring/operator.ts';
import { countRedrive, redrive } from '../lib/wiring/return-events.ts';
import {
  type Answer,
  addChangeOptions,
  type ChangeOptions,
  collect,
  readOutboxSettings,
  runCommand,
} from './run-command.ts';

interface RedriveOptions extends ChangeOptions {
  readonly all?: true;
  readonly code?: readonly string[];
  readonly type?: readonly string[];
  readonly id?: readonly string[];
}

const help = `
What it does: sets the events to pending, with no attempts and without their error, and forgets how often they were tried and met in conflict. The sweep
publishes them within a minute or two. Nothing is redriven twice; what dies again meanwhile stays dead.

It is safe for the graph: an event that is older than what the graph knows of its aggregate, also of one that was deleted, has no effect.
But it does not mend anything: redrive when the reason in error.message is gone (a projection corrected, an aggregate declared, a node let go of).

Meanwhile OldestPendingAge tells the events' true ages, so that its alarm may go off for some minutes.

Examples:
  outgraph redrive --code aggregate-type-unknown       after the type was added to the catalog
  outgraph redrive --type memory-event --rate 20       slowly
  outgraph redrive --id 66a0c0ffee0123456789abcd       one
  outgraph redrive --all`;

/** The command. */
export function redriveCommand(): Command {
  const command = new Command('redrive')
    .description(
      'Makes dead events pending again, once the reason is gone: all of them, or those of some codes, types or ids.',
    )
    .option('--code <code>', 'events whose error.code is this; may be given several times', collect(code))
    .option('--type <type>', 'events of this aggregate type; may be given several times', collect(type))
    .option('--id <id>', 'the event with this id (24 hexadecimal digits); may be given several times', collect(eventId))
    .option('--all', 'all dead events')
    .addHelpText('after', help);
  return addChangeOptions(command, { default: 100, what: 'events' }).action((options: RedriveOptions) => {
    const chosen = (options.code ?? options.type ?? options.id) !== undefined;
    if (chosen === (options.all === true)) command.error('error: choose the events: --code, --type, --id, or --all');
    const selection = { codes: options.code ?? [], aggregateTypes: options.type ?? [], eventIds: options.id ?? [] };
    return runRedrive(selection, options);
  });
}

async function runRedrive(selection: DeadSelection, options: RedriveOptions): Promise<void> {
  const settings = await readOutboxSettings();
  return runCommand(options, (terminal) =>
    withOutbox(settings, async (db): Promise<Answer> => {
      const until = await readOutboxTime(db);
      const dead = await countRedrive(db, selection, until);
      if (dead === 0) return { outcome: 'done', text: 'There are no such dead events.', facts: { redriven: 0 } };
      await terminal.confirm(`Makes ${dead} dead events pending again, ${options.rate} a second at most.`);
      const { outcome, changed } = await redrive(db, selection, until, {
        ratePerSecond: options.rate,
        signal: terminal.signal,
        progress: terminal.showProgress(dead, 'events'),
      });
      const left = outcome === 'interrupted' ? ' Interrupted: the others are still dead; run it again to go on.' : '';
      return { outcome, text: `${changed} events are pending again.${left}`, facts: { redriven: changed } };
    }),
  );
}

function code(text: string): string {
  if ((dataFaultCodes as readonly string[]).includes(text)) return text;
  throw new InvalidArgumentError(`It must be one of ${dataFaultCodes.join(', ')}.`);
}

function type(text: string): string {
  if (aggregateTypePattern.test(text)) return text;
  throw new InvalidArgumentError('It must be an aggregate type: lower-case words joined by hyphens.');
}

function eventId(text: string): string {
  if (/^[0-9a-f]{24}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be 24 lower-case hexadecimal digits.');
}
