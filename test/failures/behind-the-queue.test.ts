/** The crash table, row by row, and XMem's cases in which something dies, on deployed functions and servers that are really killed. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { crashTable, rowTitle } from './crash-table.ts';
import { FailureStack } from './failure-stack.ts';
import { busRows } from './rows/bus.ts';
import { consumerRows } from './rows/consumer.ts';
import { waitOverHandOvers } from './rows/hand-over.ts';
import { mongodbRows } from './rows/mongodb.ts';
import { neo4jRows } from './rows/neo4j.ts';
import { poisonedWorker, poisonRows } from './rows/poison.ts';
import { publisherRows } from './rows/publisher.ts';
import { queueRows } from './rows/queue.ts';
import type { CrashRows } from './rows/row.ts';
import { sweepRows } from './rows/sweep.ts';
import { writerRows } from './rows/writer.ts';
import { xmemCases } from './xmem/cases.ts';

const rows: Required<CrashRows> = {
  ...writerRows,
  ...busRows,
  ...publisherRows,
  ...mongodbRows,
  ...consumerRows,
  ...neo4jRows,
  ...queueRows,
  ...poisonRows,
  ...sweepRows,
};

const isHere = (name: string): name is keyof CrashRows => name in rows;

let stack: FailureStack;
beforeAll(async () => {
  stack = await FailureStack.start();
});
afterAll(() => stack?.stop());

it('at a steady 50 events per second over five hand-overs no event waits longer than 5 s for its send', () =>
  waitOverHandOvers(stack));

it('an event that ends the worker each time is found out over its restarts; its neighbours are applied', () =>
  poisonedWorker(stack));

describe('the crash table:', () => {
  for (const name of Object.keys(crashTable).filter(isHere)) {
    it(rowTitle(crashTable[name]), () => rows[name](stack));
  }
});

describe("XMem's cases:", () => {
  for (const [title, run] of Object.entries(xmemCases)) it(title, () => run(stack));
});
