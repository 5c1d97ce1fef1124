/** `npx outgraph`: the commands of a terminal or a container, by what somebody wants to do. */
import { Command } from 'commander';
import { backfillCommand } from './commands/backfill.ts';
import { consoleCommand } from './commands/console.ts';
import { deadCommand } from './commands/dead.ts';
import { doctorCommand } from './commands/doctor.ts';
import { repairCommand } from './commands/repair.ts';
import { replayCommand } from './commands/replay.ts';
import { reprojectCommand } from './commands/reproject.ts';
import { setUpCommand } from './commands/set-up.ts';
import { showCommand } from './commands/show.ts';
import { statusCommand } from './commands/status.ts';
import { tailCommand } from './commands/tail.ts';
import { verifyCommand } from './commands/verify.ts';
import { workerCommand } from './commands/worker.ts';
import { exitOnWrongUse } from './run-command.ts';

await new Command('outgraph')
  .description('Keeps a Neo4j graph in step with MongoDB.')
  .exitOverride(exitOnWrongUse)
  .commandsGroup('Look:')
  .addCommand(statusCommand())
  .addCommand(consoleCommand())
  .addCommand(doctorCommand())
  .addCommand(showCommand())
  .addCommand(tailCommand())
  .addCommand(verifyCommand())
  .commandsGroup('Mend:')
  .addCommand(deadCommand())
  .addCommand(repairCommand())
  .addCommand(backfillCommand())
  .addCommand(reprojectCommand())
  .addCommand(replayCommand())
  .commandsGroup('Run:')
  .addCommand(setUpCommand())
  .addCommand(workerCommand())
  .parseAsync();
