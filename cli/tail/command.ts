/** `outgraph tail`: prints events as they are written and settled. */
import { Command, InvalidArgumentError } from 'commander';
import { aggregateTypePattern } from '../../lib/contract/outbox-event.ts';
import { withOutbox } from '../databases.ts';
import { exitCodesText } from '../exit-codes.ts';
import { collect, count, readOutboxSettings } from '../terminal/run-command.ts';
import { runUntilInterrupted } from '../terminal/run-until-interrupted.ts';
import type { Shell } from '../terminal/shell.ts';
import { tailLine } from './outbox-change.ts';
import { tail } from './tail.ts';

interface TailCommandOptions {
  readonly type?: readonly string[];
  readonly id?: readonly string[];
  readonly since: number;
  readonly canaries?: true;
  readonly json?: true;
}

const help = `
Examples:
  outgraph tail
  outgraph tail --type order --since 300
  outgraph tail --id 66a0c0ffee0123456789abcd --json

One line each: time (MongoDB's clock, UTC), position, what happened, operation,
aggregate type and id; never a payload.

  written   a writer committed the event
  applied   the event, or a newer state, is in the graph; with the lag
  dead      the event can never be applied as it is; with the code
  redriven  the event is pending again

It is for people: it may miss events if MongoDB's oplog is too short.`;

/** The command. */
export function tailCommand(shell: Shell): Command {
  return new Command('tail')
    .option('--type <type>', 'events of this aggregate type; repeatable', collect(type))
    .option('--id <id>', 'events of the aggregate with this id; repeatable', collect(String))
    .option('--since <seconds>', 'start this many seconds ago', count, 0)
    .option('--canaries', "also print the sweep's canaries")
    .option('--json', 'print one line of JSON per change')
    .addHelpText('after', `${help}\n${exitCodesText()}`)
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
          report: (change) => print(json ? JSON.stringify(change) : tailLine(change)),
          log: {
            unavailable: (reason) => say(`${reason} Trying again.`),
            recovered: () => say('MongoDB is available again.'),
            missed: (reason) => say(`${reason} Changes in between were missed. Continuing from now.`),
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
