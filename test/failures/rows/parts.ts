/**
 * The rows of the crash table in three parts, each on a separate stack. A row that is missing from
 * all of them is a type error.
 */
import { it } from 'vitest';
import type { FailureStack } from '../../support/failure-stack.ts';
import { crashTable, rowTitle } from '../crash-table.ts';
import { busRows } from './bus.ts';
import { consumerRows } from './consumer.ts';
import { mongodbRows } from './mongodb.ts';
import { neo4jRows } from './neo4j.ts';
import { poisonRows } from './poison.ts';
import { publisherRows } from './publisher.ts';
import { queueRows } from './queue.ts';
import type { CrashRows } from './row.ts';
import { sweepRows } from './sweep.ts';
import { writerRows } from './writer.ts';

export const rowsBeforeTheQueue = { ...writerRows, ...busRows, ...publisherRows, ...mongodbRows };

export const rowsOfTheGraph = neo4jRows;

export const rowsBehindTheQueue: Required<
  Omit<CrashRows, keyof typeof rowsBeforeTheQueue | keyof typeof rowsOfTheGraph>
> = {
  ...consumerRows,
  ...queueRows,
  ...poisonRows,
  ...sweepRows,
};

/** Defines a test for each row, in the table's order. */
export function testRows<Name extends keyof CrashRows>(
  rows: Pick<Required<CrashRows>, Name>,
  stack: () => FailureStack,
): void {
  const isHere = (name: string): name is Name => name in rows;
  for (const name of Object.keys(crashTable).filter(isHere)) it(rowTitle(crashTable[name]), () => rows[name](stack()));
}
