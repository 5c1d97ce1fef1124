/** `outgraph dead`: what an operator does with events that can never be applied as they are. */
import { Command } from 'commander';
import type { Shell } from '../terminal/shell.ts';
import { deadDiscardCommand } from './discard-command.ts';
import { deadListCommand } from './list-command.ts';
import { deadRedriveCommand } from './redrive-command.ts';
import { deadShowCommand } from './show-command.ts';

const help = `
An event is dead when it can never be applied as it is. It stays in the outbox with its reason until a person redrives it, or discards it.

Examples:
  outgraph dead list                                   what is dead, and why
  outgraph dead show 66a0c0ffee0123456789abcd          one of them, and what to do about it
  outgraph dead redrive --code payload-invalid         once the reason is gone
  outgraph dead discard --id 66a0c0ffee0123456789abcd --reason "written by a test"`;

/** The command. */
export function deadCommand(shell: Shell): Command {
  return new Command('dead')
    .description('Lists, shows, redrives and discards dead events.')
    .addHelpText('after', help)
    .addCommand(deadListCommand(shell))
    .addCommand(deadShowCommand(shell))
    .addCommand(deadRedriveCommand(shell))
    .addCommand(deadDiscardCommand(shell));
}
