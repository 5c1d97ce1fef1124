/** `outgraph doctor`: is everything around a stage as it should be? */
import { Command } from 'commander';
import { addCatalogOption, type CatalogOption, loadCatalog } from '../terminal/read-catalog.ts';
import { runCommand } from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import { doctorText, styleOf } from './text.ts';
import { runDoctor } from './wiring.ts';

interface DoctorCommandOptions extends CatalogOption {
  readonly json?: true;
}

const help = `
What it does: looks at the settings, MongoDB, Neo4j, the queue and the bus, and the parts at work, check by check, and says of each what it found and what to do. It changes nothing, and ends
within half a minute, whatever the servers do. A check that stands on another is skipped where that one failed; what this user may not read is skipped, with the right that it needs.

It reads all settings of README.md from the environment: set those of the part that you want examined, with its user. MONGODB_URI and NEO4J_URI must be there; without QUEUE_URL,
DEAD_LETTER_QUEUE_URL and EVENT_BUS_NAME, queue and bus are skipped (the worker needs none). Rights that are checked are those of the user that it connects with.

It does not look into events or graph: that is what outgraph status and outgraph verify are for.

Exit codes: 0 nothing is wrong (there may be warnings), 1 something is wrong, 2 wrong use, or settings with which nothing could be examined, 130 interrupted.

Examples:
  outgraph doctor
  outgraph doctor --catalog dist/catalog.js           with the aggregate types of a service of your own
  outgraph doctor --json | jq '.checks[] | select(.outcome == "wrong")'`;

/** The command. */
export function doctorCommand(shell: Shell): Command {
  const command = new Command('doctor')
    .description('Examines everything around a stage, and says what is wrong and what to do. Changes nothing.')
    .option('--json', 'print all checks as one line of JSON')
    .addHelpText('after', help);
  return addCatalogOption(command).action((options: DoctorCommandOptions) =>
    runCommand(shell, options.json === true ? { json: true } : {}, async ({ signal }) => {
      const loaded = await loadCatalog(shell, options);
      const { outcome, ...facts } = await runDoctor({ environment: shell.environment, loaded, signal });
      return {
        outcome,
        text: doctorText({ outcome, ...facts }, styleOf(shell.environment, shell.stdout.isTTY === true)),
        facts,
      };
    }),
  );
}
