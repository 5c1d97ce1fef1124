/** The command `outgraph`: all its commands, and how one of them runs. */
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { unknownSettings, unknownSettingsText } from '../lib/runtime/unknown-settings.ts';
import { backfillCommand } from './backfill/command.ts';
import { consoleCommand } from './console/command.ts';
import { deadCommand } from './dead/command.ts';
import { doctorCommand } from './doctor/command.ts';
import { repairCommand } from './repair/command.ts';
import { replayCommand } from './replay/command.ts';
import { reprojectCommand } from './reproject/command.ts';
import { setUpCommand } from './set-up/command.ts';
import { showCommand } from './show/command.ts';
import { statusCommand } from './status/command.ts';
import { tailCommand } from './tail/command.ts';
import { wrongUse } from './terminal/read-settings.ts';
import { Exit, type Shell } from './terminal/shell.ts';
import { verifyCommand } from './verify/command.ts';
import { workerCommand } from './worker/command.ts';

/** Runs a command to its end, and returns its exit code. */
export async function runOutgraph(args: readonly string[], shell: Shell): Promise<number> {
  const program = createProgram(shell);
  useShell(program, shell);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof Exit) return error.exitCode;
    // Commander says 1 where it is used in a wrong way.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : wrongUse;
    throw error;
  }
}

function createProgram(shell: Shell): Command {
  return new Command('outgraph')
    .description('Keeps a Neo4j graph in step with MongoDB.')
    .version(version, '-V, --version')
    .hook('preAction', (_, command) => {
      // The doctor has a check of its own for that.
      if (command.name() !== 'doctor') warnOfMisspeltSettings(shell);
    })
    .commandsGroup('Look:')
    .addCommand(statusCommand(shell))
    .addCommand(consoleCommand(shell))
    .addCommand(doctorCommand(shell))
    .addCommand(showCommand(shell))
    .addCommand(tailCommand(shell))
    .addCommand(verifyCommand(shell))
    .commandsGroup('Mend:')
    .addCommand(deadCommand(shell))
    .addCommand(repairCommand(shell))
    .addCommand(backfillCommand(shell))
    .addCommand(reprojectCommand(shell))
    .addCommand(replayCommand(shell))
    .commandsGroup('Run:')
    .addCommand(setUpCommand(shell))
    .addCommand(workerCommand(shell));
}

/** As package.json says: this package's own, whether it runs from its sources or compiled. */
const { version } = createRequire(import.meta.url)('outgraph/package.json') as { readonly version: string };

/** Others than those that are close to a setting may belong to other programs: the doctor names them all. */
function warnOfMisspeltSettings({ environment, stderr }: Shell): void {
  const misspelt = unknownSettings(environment).filter(({ meant }) => meant !== null);
  if (misspelt.length > 0) stderr.write(`Not a setting: ${unknownSettingsText(misspelt)}. It is ignored.\n`);
}

/** Commander writes to the shell and throws its errors, in every command below as well. */
function useShell(command: Command, shell: Shell): void {
  const { stdout, stderr } = shell;
  command.exitOverride().configureOutput({
    writeOut: (text) => stdout.write(text),
    writeErr: (text) => stderr.write(text),
    getOutHelpWidth: () => stdout.columns ?? 80,
    getErrHelpWidth: () => stderr.columns ?? 80,
  });
  for (const one of command.commands) useShell(one, shell);
}
