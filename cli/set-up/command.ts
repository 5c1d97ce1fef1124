/** `outgraph set-up`, or `setup`: creates what is missing in both databases. */
import { Command } from 'commander';
import type { AggregateCatalog } from '../../lib/projection/catalog.ts';
import { type SetUpSettings, setUpSettings } from '../../lib/runtime/settings.ts';
import type { SetUpStep } from '../../lib/set-up/set-up-step.ts';
import { setUpOnce } from '../../lib/set-up/wiring.ts';
import { exitCodesText } from '../exit-codes.ts';
import { addCatalogOption, type CatalogOption, readCatalogOrExit } from '../terminal/read-catalog.ts';
import { readSettingsOrExit } from '../terminal/read-settings.ts';
import { runCommand } from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import { table } from '../terminal/table.ts';

interface SetUpOptions extends CatalogOption {
  readonly adopt?: true;
  readonly json?: true;
}

const help = `
Examples:
  outgraph set-up
  outgraph set-up --catalog dist/catalog.js   the types of your own service
  outgraph set-up --adopt                     MongoDB moved to another cluster,
                                              or the stage has another name

In MongoDB it creates the outbox with its validator and indexes, and the other
collections of outgraph; in Neo4j the constraints of the registry and of the
catalog's labels. It deletes nothing, and you can run it again at any time.
A deployment on AWS runs it automatically.

The graph then belongs to this outbox. --adopt takes over a graph of another
outbox: stop the other outbox's consumer first, and read docs/runbook.md,
clock-behind-graph. "outgraph doctor" reports what is missing and changes
nothing. Roles: docs/explanation/security.md`;

/** The command. */
export function setUpCommand(shell: Shell): Command {
  const command = new Command('set-up')
    .option('--adopt', 'take over a graph of another outbox, or an outbox of another stack')
    .option('--json', 'print the result as one line of JSON')
    .addHelpText('after', `${help}\n${exitCodesText()}`);
  return addCatalogOption(command).action(async (options: SetUpOptions) =>
    runSetUp(shell, await readSettingsOrExit(shell, setUpSettings), await readCatalogOrExit(shell, options), options),
  );
}

function runSetUp(
  shell: Shell,
  settings: SetUpSettings,
  catalog: AggregateCatalog,
  options: SetUpOptions,
): Promise<void> {
  return runCommand(shell, options.json === true ? { json: true } : {}, async () => {
    const { mongodb, neo4j, withdrawn, newer } = await setUpOnce(settings, catalog, { adopt: options.adopt === true });
    const rowsOf = (server: string, steps: readonly SetUpStep[]) =>
      steps.map(({ what, outcome }) => [outcome, server, what]);
    const rows = [...rowsOf('MongoDB', mongodb), ...rowsOf('Neo4j', neo4j)];
    return {
      outcome: 'done',
      text: [
        ...(rows.length > 0 ? [table(['', 'in', 'what'], rows)] : []),
        `${newerText(newer)}The outbox and the graph are set up.${withdrawnText(withdrawn)}`,
      ].join('\n'),
      facts: { mongodb, neo4j, withdrawn, newer },
    };
  });
}

function newerText(newer: number | null): string {
  if (newer === null) return '';
  return `A newer version of outgraph set up these databases (set-up ${newer}). Its set-up stays as it is.
`;
}

function withdrawnText(withdrawn: number): string {
  if (withdrawn === 0) return '';
  return `
The positions of ${withdrawn} aggregates were later than this MongoDB cluster's time, and were set to that time.
In two minutes, record every document again, with all of your types:
npx outgraph backfill <type…> --prune`;
}
