/**
 * Shared by the tests of XMem's cases: a scope on the deployed functions, and a check that its
 * graph matches its documents.
 */
import { expect } from 'vitest';
import type { GraphPicture } from '../../../lib/testing/expected-graph.ts';
import { db, graph, mongodb } from '../../support/wait-for.ts';
import { XmemScope } from '../../support/xmem/xmem-scope.ts';

export function newScope(): XmemScope {
  return new XmemScope({ client: mongodb, db, graph });
}

/**
 * Checks that every event is processed and that the graph matches the documents. Resolves with the
 * graph.
 */
export async function expectInStep(scope: XmemScope): Promise<GraphPicture> {
  const events = await scope.untilSettled();
  expect(events.filter(({ status }) => status !== 'processed')).toStrictEqual([]);
  const found = await scope.found();
  expect(found).toStrictEqual(await scope.expected());
  return found;
}
