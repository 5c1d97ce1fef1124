/**
 * The rows of the crash table about Neo4j, and XMem's crash cases. They run on deployed functions
 * and kill real servers.
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { FailureStack } from '../support/failure-stack.ts';
import { rowsOfTheGraph, testRows } from './rows/parts.ts';
import { xmemCases } from './xmem/cases.ts';

let stack: FailureStack;
beforeAll(async () => {
  stack = await FailureStack.start('graph');
});
afterAll(() => stack?.stop());

describe('the crash table:', () => testRows(rowsOfTheGraph, () => stack));

describe("XMem's cases:", () => {
  for (const [title, run] of Object.entries(xmemCases)) it(title, () => run(stack));
});
