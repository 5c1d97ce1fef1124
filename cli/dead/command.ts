/** `outgraph dead`: lists, shows and discards events that can never be applied as they are. */
import { Command } from 'commander';
import type { Shell } from '../terminal/shell.ts';
import { deadDiscardCommand } from './discard-command.ts';
import { deadListCommand } from './list-command.ts';
import { deadShowCommand } from './show-command.ts';

const help = `
Examples:
  outgraph dead list                            what is dead, and why
  outgraph dead show 66a0c0ffee0123456789abcd   one of them, and what to do
  outgraph dead discard --id 66a0c0ffee0123456789abcd --reason "a test"
  outgraph redrive --code payload-invalid       once the cause is fixed

A dead event can never be applied as it is. It stays in the outbox with its
reason until you redrive or discard it.`;

/** The command. */
export function deadCommand(shell: Shell): Command {
  return new Command('dead')
    .addHelpText('after', help)
    .addCommand(deadListCommand(shell))
    .addCommand(deadShowCommand(shell))
    .addCommand(deadDiscardCommand(shell));
}
