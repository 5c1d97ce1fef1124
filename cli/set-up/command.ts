/** `outgraph set-up`, or `setup`: makes in both databases what is missing. */
import { Command } from 'commander';
import type { AggregateCatalog } from '../../lib/projection/catalog.ts';
import { type SetUpSettings, setUpSettings } from '../../lib/runtime/settings.ts';
import type { SetUpStep } from '../../lib/set-up/set-up-step.ts';
import { setUpOnce } from '../../lib/set-up/wiring.ts';
import { addCatalogOption, type CatalogOption, readCatalogOrExit } from '../terminal/read-catalog.ts';
import { readSettingsOrExit } from '../terminal/read-settings.ts';
import { exitCodesText, runCommand } from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import { table } from '../terminal/table.ts';

interface SetUpOptions extends CatalogOption {
  readonly adopt?: true;
  readonly json?: true;
}

const help = `
What it does: makes the outbox with its validator and indexes, and the collections beside it, in MongoDB; the constraints of the registry and of the catalog's labels and types, in
Neo4j. It says of each part whether it was made, changed (an older version had made it differently), applied (made, or brought to what it should be: the set-up's user may not look) or
kept. It removes no document, event or node, and may be run again at any time. A deployment on AWS does the same by itself.

The set-up writes the outbox's id into the graph. From then on, outgraph refuses to work on that
graph with another outbox. --adopt gives the graph to this outbox: use it after MongoDB was moved or
restored without its outbox, or for a copy of a graph. Stop the consumer of the other outbox first.
If the graph knows positions later than this MongoDB cluster's time, --adopt sets them to that time.
You must then record every document again (docs/runbook.md, clock-behind-graph).

It needs users that may make collections, indexes and constraints: docs/security.md has the roles. What is missing is told, without changing anything, by: outgraph doctor

Examples:
  outgraph set-up
  outgraph set-up --catalog dist/catalog.js    with the aggregate types of a service of your own
  outgraph set-up --adopt                      after MongoDB was moved to another cluster`;

/** The command. */
export function setUpCommand(shell: Shell): Command {
  const command = new Command('set-up')
    .alias('setup')
    .description(
      'Makes what is missing: the outbox with its validator and indexes in MongoDB, the constraints in Neo4j. Safe to run again.',
    )
    .option('--adopt', 'take over a graph that belongs to another outbox')
    .option('--json', 'print the result as one line of JSON')
    .addHelpText('after', `${help}\n${exitCodesText}`);
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
    const { mongodb, neo4j, withdrawn } = await setUpOnce(settings, catalog, { adopt: options.adopt === true });
    const rows = (server: string, steps: readonly SetUpStep[]) =>
      steps.map(({ what, outcome }) => [outcome, server, what]);
    return {
      outcome: 'done',
      text: `${table(['', 'in', 'what'], [...rows('MongoDB', mongodb), ...rows('Neo4j', neo4j)])}\nThe outbox and the graph are set up.${withdrawnText(withdrawn)}`,
      facts: { mongodb, neo4j, withdrawn },
    };
  });
}

function withdrawnText(withdrawn: number): string {
  if (withdrawn === 0) return '';
  return `
The positions of ${withdrawn} aggregates were later than this MongoDB cluster's time; they are set to that time.
Two minutes from now, record every document again, with all types that you have:
npx outgraph reproject <type…> --forget-missing`;
}
