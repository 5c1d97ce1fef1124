/** The deployed functions and the servers that they run on. */
import { inject } from 'vitest';
import type { StackDescription } from '../../infra/local/stack.ts';
import type {} from './global-setup/stack.ts';

/** Where the parts of the deployment are. */
export const stack: StackDescription & { readonly logsFolder: string } = required();

function required(): StackDescription & { readonly logsFolder: string } {
  const provided = inject('stack');
  if (provided === undefined)
    throw new Error('This project deploys nothing: add test/support/global-setup/stack.ts to it in vitest.config.ts.');
  return provided;
}
