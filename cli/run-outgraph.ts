/** The `outgraph` program: lists its commands and runs one of them. */
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { exitCodes } from './exit-codes.ts';
import type { FileOptions } from './terminal/complete-environment.ts';
import { Exit, noFiles, type Shell, type Surroundings } from './terminal/shell.ts';

/** Creates a command that writes to a shell. */
type MakeCommand = (shell: Shell) => Command;

/** A listed command. Its code is loaded only when it is called. */
interface Listed {
  readonly name: string;
  readonly description: string;
  readonly alias?: string;
  readonly load: () => Promise<MakeCommand>;
}

const groups: Readonly<Record<string, readonly Listed[]>> = {
  'Inspect:': [
    {
      name: 'status',
      description: 'Report whether the graph is in step, and where events wait.',
      load: async () => (await import('./status/command.ts')).statusCommand,
    },
    {
      name: 'console',
      description: 'Serve a page that shows a stage, on this machine only.',
      load: async () => (await import('./console/command.ts')).consoleCommand,
    },
    {
      name: 'doctor',
      description: 'Check a stage, and say what is wrong and how to fix it.',
      load: async () => (await import('./doctor/command.ts')).doctorCommand,
    },
    {
      name: 'show',
      description: 'Show one aggregate: document, events, graph, differences.',
      load: async () => (await import('./show/command.ts')).showCommand,
    },
    {
      name: 'tail',
      description: 'Print events as they are written and settled.',
      load: async () => (await import('./tail/command.ts')).tailCommand,
    },
  ],
  'Repair:': [
    {
      name: 'verify',
      description: 'Compare the graph with the documents, and repair it.',
      load: async () => (await import('./verify/command.ts')).verifyCommand,
    },
    {
      name: 'dead',
      description: 'List, show and discard dead events.',
      load: async () => (await import('./dead/command.ts')).deadCommand,
    },
    {
      name: 'redrive',
      description: 'Make dead or processed events pending again.',
      load: async () => (await import('./redrive/command.ts')).redriveCommand,
    },
    {
      name: 'backfill',
      description: 'Load existing documents into the graph.',
      load: async () => (await import('./backfill/command.ts')).backfillCommand,
    },
    {
      name: 'forget',
      description: 'Erase an aggregate whose document was deleted.',
      load: async () => (await import('./forget/command.ts')).forgetCommand,
    },
    {
      name: 'remove-source',
      description: 'Remove from the graph what one outbox brought.',
      load: async () => (await import('./remove-source/command.ts')).removeSourceCommand,
    },
  ],
  'Run:': [
    {
      name: 'set-up',
      description: 'Create what outgraph needs in MongoDB and Neo4j.',
      alias: 'setup',
      load: async () => (await import('./set-up/command.ts')).setUpCommand,
    },
    {
      name: 'worker',
      description: 'Run the whole path in one process, without AWS.',
      load: async () => (await import('./worker/command.ts')).workerCommand,
    },
  ],
};

/** Runs a command to its end and returns its exit code. */
export async function runOutgraph(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const shell: Shell = { ...surroundings, files: noFiles() };
  const program = await createProgram(args, shell);
  useShell(program, shell);
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    if (error instanceof Exit) return error.exitCode;
    // Commander exits with 1 on wrong use.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUse;
    throw error;
  }
}

async function createProgram(args: readonly string[], shell: Shell): Promise<Command> {
  const program = new Command('outgraph')
    .description('Keeps a Neo4j graph in step with MongoDB.')
    .version(version, '-V, --version')
    .option('--env-file <file>', 'read variables from this file (default: .env, if it exists)')
    .option('--config <file>', 'read catalog and settings from this file (default: outgraph.config.ts or .js)')
    .hook('preAction', async (program, command) => {
      const { completeEnvironment } = await import('./terminal/complete-environment.ts');
      await completeEnvironment(shell, program.opts<FileOptions>());
      // The doctor has its own check for this.
      if (command.name() !== 'doctor') await warnOfMisspeltSettings(shell);
    });
  for (const [group, commands] of Object.entries(groups)) {
    program.commandsGroup(group);
    for (const { name, description, alias, load } of commands) {
      const isCalled = args.includes(name) || (alias !== undefined && args.includes(alias));
      const command = isCalled ? (await load())(shell) : new Command(name);
      command.description(description);
      if (alias !== undefined) command.alias(alias);
      program.addCommand(command);
    }
  }
  return program;
}

/** This package's own version, whether it runs from sources or compiled. */
const { version } = createRequire(import.meta.url)('outgraph/package.json') as { readonly version: string };

/**
 * Warns only of names similar to a setting: others may belong to other programs. The doctor lists
 * them all.
 */
async function warnOfMisspeltSettings({ environment, stderr }: Shell): Promise<void> {
  const { unknownSettings, unknownSettingsText } = await import('../lib/runtime/unknown-settings.ts');
  const misspelt = unknownSettings(environment).filter(({ meant }) => meant !== null);
  if (misspelt.length > 0) stderr.write(`Not a setting: ${unknownSettingsText(misspelt)}. It is ignored.\n`);
}

/** Makes Commander write to the shell and throw its errors, in all subcommands too. */
function useShell(command: Command, shell: Shell): void {
  const { stdout, stderr } = shell;
  command.configureHelp({ showGlobalOptions: true });
  command.exitOverride().configureOutput({
    writeOut: (text) => stdout.write(text),
    writeErr: (text) => stderr.write(text),
    getOutHelpWidth: () => stdout.columns ?? 80,
    getErrHelpWidth: () => stderr.columns ?? 80,
  });
  for (const subcommand of command.commands) useShell(subcommand, shell);
}
