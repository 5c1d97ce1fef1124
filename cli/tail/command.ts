/** `outgraph tail`: events as they are written and as they are settled. */
import { Command, InvalidArgumentError } from 'commander';
import { aggregateTypePattern } from '../../lib/contract/outbox-event.ts';
import { withOutbox } from '../databases.ts';
import { collect, count, exitCodesText, readOutboxSettings } from '../terminal/run-command.ts';
import { runUntilInterrupted } from '../terminal/run-until-interrupted.ts';
import type { Shell } from '../terminal/shell.ts';
import { tailLine } from './text.ts';
import { tail } from './wiring.ts';

interface TailCommandOptions {
  readonly type?: readonly string[];
  readonly id?: readonly string[];
  readonly since: number;
  readonly canaries?: true;
  readonly json?: true;
}

const help = `
What it prints, one line each: the time (by MongoDB's clock, in UTC), the event's position, what happened, the operation, the aggregate's type and its id; never a payload.
  written   a writer has committed the event
  applied   it, or a newer state of its aggregate, is in the graph; with the time since the writer made it
  dead      it can never be applied as it is; with the code of the reason
  redriven  it was dead, and is pending again; "replayed" where it was processed
What happened is told once, in its order. Over elections and outages it goes on where it was; where MongoDB does not remember so long, it says so. Ctrl-C is its end, with 0.

It reads a change stream of the outbox, and asks MongoDB for each event whose status changes: for a person who looks, and not for a program that must not miss anything.

Examples:
  outgraph tail
  outgraph tail --type memory-event --since 300
  outgraph tail --id 66a0c0ffee0123456789abcd --json`;

/** The command. */
export function tailCommand(shell: Shell): Command {
  return new Command('tail')
    .description('Prints events as they are written and as they are settled, until Ctrl-C. Changes nothing.')
    .option('--type <type>', 'events of this aggregate type; may be given several times', collect(type))
    .option('--id <id>', 'events of the aggregate with this id; may be given several times', collect(String))
    .option('--since <seconds>', 'begin with what happened so many seconds ago', count, 0)
    .option('--canaries', "the sweep's canaries as well")
    .option('--json', 'one line of JSON each')
    .addHelpText('after', `${help}\n${exitCodesText}`)
    .action((options: TailCommandOptions) => runTail(shell, options));
}

async function runTail(
  shell: Shell,
  { type: types = [], id: ids = [], since, ...options }: TailCommandOptions,
): Promise<void> {
  const settings = await readOutboxSettings(shell);
  const json = options.json === true;
  const canaries = options.canaries === true;
  await runUntilInterrupted(shell, json, ({ signal, print, say }) =>
    withOutbox(settings, (db) =>
      tail(
        db,
        { aggregateTypes: types, aggregateIds: ids, canaries, sinceSeconds: since },
        {
          signal,
          tell: (change) => print(json ? JSON.stringify(change) : tailLine(change)),
          log: {
            away: (reason) => say(`${reason} Trying again.`),
            back: () => say('MongoDB answers again.'),
            missed: (reason) => say(`${reason} What happened meanwhile was missed; going on from now.`),
          },
        },
      ),
    ),
  );
}

function type(text: string): string {
  if (aggregateTypePattern.test(text)) return text;
  throw new InvalidArgumentError('It must be an aggregate type: lower-case words joined by hyphens.');
}
