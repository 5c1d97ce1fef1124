/** `outgraph doctor`: checks everything around a stage. */
import { Command } from 'commander';
import { exitCodesText } from '../exit-codes.ts';
import { addCatalogOption, type CatalogOption, loadCatalog } from '../terminal/read-catalog.ts';
import { runCommand } from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import { doctorText, styleOf } from './text.ts';
import { runDoctor } from './wiring.ts';

interface DoctorCommandOptions extends CatalogOption {
  readonly json?: true;
}

const help = `
Examples:
  outgraph doctor
  outgraph doctor --catalog dist/catalog.js
  outgraph doctor --json | jq '.checks[] | select(.outcome == "wrong")'

It checks settings, MongoDB, Neo4j, queue, bus and the running parts, and says
what to do about each finding. It changes nothing and ends within half a
minute. It checks the rights of the user that it connects with: run it with
the settings of the part to examine (docs/reference/settings.md). Without
QUEUE_URL, DEAD_LETTER_QUEUE_URL and EVENT_BUS_NAME it skips queue and bus.`;

const meanings = {
  done: 'nothing is wrong; there may be warnings',
  failed: 'something is wrong',
  wrongUse: 'wrong use, or settings so wrong that nothing was checked',
};

/** The command. */
export function doctorCommand(shell: Shell): Command {
  const command = new Command('doctor')
    .option('--json', 'print all checks as one line of JSON')
    .addHelpText('after', `${help}\n${exitCodesText(meanings)}`);
  return addCatalogOption(command).action((options: DoctorCommandOptions) =>
    runCommand(shell, options.json === true ? { json: true } : {}, async ({ signal }) => {
      const loaded = await loadCatalog(shell, options);
      const { outcome, ...facts } = await runDoctor({
        environment: shell.environment,
        files: shell.files.names,
        loaded,
        signal,
      });
      return {
        outcome,
        text: doctorText({ outcome, ...facts }, styleOf(shell.environment, shell.stdout.isTTY === true)),
        facts,
      };
    }),
  );
}
