/** `npx outgraph`: the commands of a terminal or a container, by what somebody wants to do. */
import { Command } from 'commander';
import { backfillCommand } from './backfill.ts';
import { consoleCommand } from './console.ts';
import { deadCommand } from './dead.ts';
import { doctorCommand } from './doctor.ts';
import { repairCommand } from './repair.ts';
import { replayCommand } from './replay.ts';
import { reprojectCommand } from './reproject.ts';
import { setUpCommand } from './set-up.ts';
import { showCommand } from './show.ts';
import { statusCommand } from './status.ts';
import { tailCommand } from './tail.ts';
import { verifyCommand } from './verify.ts';
import { workerCommand } from './worker.ts';

await new Command('outgraph')
  .description('Keeps a Neo4j graph in step with MongoDB.')
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
