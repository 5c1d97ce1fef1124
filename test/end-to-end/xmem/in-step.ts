/**
 * What the tests of XMem's cases share: a scope on the deployed functions, and that its graph is what its documents
 * say.
 */
import { expect } from 'vitest';
import type { GraphPicture } from '../../support/model/expected-graph.ts';
import { db, graph, mongodb } from '../../support/wait-for.ts';
import { XmemScope } from '../../support/xmem/xmem-scope.ts';

export function newScope(): XmemScope {
  return new XmemScope({ client: mongodb, db, graph });
}

/** Every event is processed, and the graph is what the documents say. Resolves with it. */
export async function expectInStep(scope: XmemScope): Promise<GraphPicture> {
  const events = await scope.untilSettled();
  expect(events.filter(({ status }) => status !== 'processed')).toStrictEqual([]);
  const found = await scope.found();
  expect(found).toStrictEqual(await scope.expected());
  return found;
}
