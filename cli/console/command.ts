/** `outgraph console`: a page for looking instead of typing, on this machine alone. */
import { Command, InvalidArgumentError } from 'commander';
import { serveConsole } from '../../console/server/serve-console.ts';
import { type ConsoleScope, consolePorts } from '../../console/wiring.ts';
import { consoleSettings } from '../../lib/runtime/settings.ts';
import { checkBindingIfReachable } from '../../lib/set-up/binding-wiring.ts';
import { withDriver, withOutbox } from '../databases.ts';
import { createQueueReader } from '../status/wiring.ts';
import { portRefusal } from '../terminal/listen.ts';
import { addCatalogOption, type CatalogOption, readCatalogOrExit } from '../terminal/read-catalog.ts';
import { readSettingsOrExit } from '../terminal/read-settings.ts';
import { exitCodesText } from '../terminal/run-command.ts';
import { runUntilInterrupted, type Stream } from '../terminal/run-until-interrupted.ts';
import { type Shell, untilAborted } from '../terminal/shell.ts';

interface ConsoleCommandOptions extends CatalogOption {
  readonly port: number;
}

const everySeconds = 2;

const help = `
What it shows, as it changes: whether the graph is in step, and where it waits; the last minutes as charts; the dead events, with why and what to do; and one aggregate as
its document says it and as the graph has it, side by side. It changes one thing, when you ask it to and say yes: it makes dead events pending again, as "dead redrive" does.

It prints an address with a secret token, which is new each time. Whoever has it and is on this machine can use the page with the rights of this process: keep it to yourself. The page answers
on 127.0.0.1 only, and loads nothing from elsewhere. To see it from another machine, carry the port over: ssh -L 7000:127.0.0.1:7000 that-machine.

Settings: as for "status" and "show": MONGODB_URI and MONGODB_DATABASE, NEO4J_URI with its user, password and database; QUEUE_URL and DEAD_LETTER_QUEUE_URL where there is a queue.

Ctrl-C ends it.

Examples:
  outgraph console
  outgraph console --port 7000 --catalog catalog.ts`;

/** The command. */
export function consoleCommand(shell: Shell): Command {
  const command = new Command('console')
    .description('Serves a page, on this machine alone, that shows the stage, its dead events and its aggregates.')
    .option('--port <port>', 'of 127.0.0.1 (0: any that is free)', port, 0)
    .addHelpText('after', `${help}\n${exitCodesText}`);
  return addCatalogOption(command).action((options: ConsoleCommandOptions) => runConsole(shell, options));
}

async function runConsole(shell: Shell, { port, ...options }: ConsoleCommandOptions): Promise<void> {
  const settings = await readSettingsOrExit(shell, consoleSettings);
  const catalog = await readCatalogOrExit(shell, options);
  const queues = createQueueReader(settings);
  const { NEO4J_DATABASE: database, SWEEP_STALE_SECONDS: staleSeconds } = settings;
  await runUntilInterrupted(shell, false, (stream) =>
    withOutbox(settings, (db) =>
      withDriver(settings, async (driver) => {
        await checkBindingIfReachable(db, driver, database);
        return serve(
          { db, driver, database, graph: settings, queues, catalog, staleSeconds, signal: stream.signal },
          port,
          stream,
        );
      }),
    ),
  ).finally(() => queues?.close());
}

/** Serves until it is interrupted. */
async function serve(scope: ConsoleScope, port: number, { signal, print, say }: Stream): Promise<void> {
  const served = await serveConsole(consolePorts(scope), { port, everySeconds }).catch((error) => {
    throw portRefusal(error, port, 'choose another with --port, or leave --port out');
  });
  say('Open this address; whoever has it can use the console. Ctrl-C ends it.');
  print(served.url);
  await untilAborted(signal);
  await served.close();
  say('The console has ended.');
}

function port(text: string): number {
  const value = Number(text);
  // A browser leaves 80 out of the addresses that are compared; and who may listen below 1024 is more than an operator.
  if (value !== 0 && !(Number.isInteger(value) && value >= 1_024 && value <= 65_535))
    throw new InvalidArgumentError('It must be a port from 1024 to 65535, or 0.');
  return value;
}
