/** `outgraph console`: serves the console's page, on this machine only. */
import { Command, InvalidArgumentError } from 'commander';
import { serveConsole } from '../../console/server/serve-console.ts';
import { type ConsoleScope, consolePorts } from '../../console/wiring.ts';
import { consoleSettings } from '../../lib/runtime/settings.ts';
import { checkBindingIfReachable } from '../../lib/set-up/binding-wiring.ts';
import { keysIn, withDriver, withOutbox } from '../databases.ts';
import { exitCodesText } from '../exit-codes.ts';
import { createQueueReader } from '../status/wiring.ts';
import { portRefusal } from '../terminal/listen.ts';
import { addCatalogOption, type CatalogOption, readCatalogOrExit } from '../terminal/read-catalog.ts';
import { readSettingsOrExit } from '../terminal/read-settings.ts';
import { runUntilInterrupted, type Stream } from '../terminal/run-until-interrupted.ts';
import { type Shell, untilAborted } from '../terminal/shell.ts';

interface ConsoleCommandOptions extends CatalogOption {
  readonly port: number;
}

const everySeconds = 2;

const help = `
Examples:
  outgraph console
  outgraph console --port 7000 --catalog catalog.ts

The page shows status, charts, dead events and single aggregates, and can
redrive dead events. It is served on 127.0.0.1 only, at an address with a
secret token: anyone on this machine with the address has the rights of this
process. From another machine: ssh -L 7000:127.0.0.1:7000 HOST

Settings: those of "status" and "show".`;

/** The command. */
export function consoleCommand(shell: Shell): Command {
  const command = new Command('console')
    .option('--port <port>', 'port of 127.0.0.1 (0: any free port)', port, 0)
    .addHelpText('after', `${help}\n${exitCodesText()}`);
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
        const keys = keysIn(settings);
        await checkBindingIfReachable(db, driver, database, keys);
        return serve(
          { db, driver, database, keys, graph: settings, queues, catalog, staleSeconds, signal: stream.signal },
          port,
          stream,
        );
      }),
    ),
  ).finally(() => queues?.close());
}

async function serve(scope: ConsoleScope, port: number, { signal, print, say }: Stream): Promise<void> {
  const served = await serveConsole(consolePorts(scope), { port, everySeconds }).catch((error) => {
    throw portRefusal(error, port, 'choose a different --port, or omit it');
  });
  say('Open this address in a browser. Keep it secret: it gives access to the console. Ctrl-C ends the console.');
  print(served.url);
  await untilAborted(signal);
  await served.close();
  say('The console has ended.');
}

function port(text: string): number {
  const value = Number(text);
  // Ports below 1024 need privileges, and browsers omit port 80 from the addresses that the server
  // compares.
  if (value !== 0 && !(Number.isInteger(value) && value >= 1_024 && value <= 65_535))
    throw new InvalidArgumentError('It must be a port from 1024 to 65535, or 0.');
  return value;
}
