/** The servers that `npm test` has started, for the tests. A missing stack fails the run; no test is ever skipped for the lack of a server. */
import { readFileSync } from 'node:fs';
import type { StackDescription } from '../../infra/local/stack.ts';
import { stackVariable } from './stack-variable.ts';

/** The running stack. */
export const stack: StackDescription & { readonly logsFolder: string } = readStack();

function readStack(): StackDescription & { readonly logsFolder: string } {
  const file = process.env[stackVariable];
  if (file === undefined)
    throw new Error('This test needs the servers: run it with "npm test -- <file>", not with vitest alone.');
  return JSON.parse(readFileSync(file, 'utf8')) as StackDescription & { readonly logsFolder: string };
}
