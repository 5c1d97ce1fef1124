/**
 * XMem's cases for the whole log, on the deployed functions: the graph does not depend on its
 * history.
 */
import { afterAll, expect, it } from 'vitest';
import { recordCurrentStates } from '../../../cli/documents/mongodb-record-current-states.ts';
import type { AggregateDefinition } from '../../../lib/projection/define-aggregate.ts';
import { codeAnnotation } from '../../../xmem/aggregates/code-annotation.ts';
import { codeFile } from '../../../xmem/aggregates/code-file.ts';
import { codeRepository } from '../../../xmem/aggregates/code-repository.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { memoryUser } from '../../../xmem/aggregates/memory-user.ts';
import { closeClients, db, mongodb, query } from '../../support/wait-for.ts';
import { straightFromInput, writeHistory } from '../../support/xmem/sample-history.ts';
import type { XmemScope } from '../../support/xmem/xmem-scope.ts';
import { expectInStep, newScope } from './in-step.ts';
import { redeliver } from './redeliver.ts';

afterAll(closeClients);

const definitions: readonly AggregateDefinition[] = [memoryUser, memoryEvent, codeRepository, codeFile, codeAnnotation];

it('N3: delivering the whole log twice more, in order and backwards, by bus and queue, changes nothing', async () => {
  const scope = newScope();
  await writeHistory(scope);
  await expectInStep(scope);
  const before = await scope.elements();
  const log = await scope.events();
  expect(log.length).toBeGreaterThan(20);
  await redeliver([...log, ...log], 'bus');
  expect(await scope.elements()).toStrictEqual(before);
  await redeliver([...log, ...log].reverse(), 'queue');
  expect(await scope.elements()).toStrictEqual(before);
  await expectInStep(scope);
});

it('O: after draining, the graphs from the log, from MongoDB and from the input are equal', async () => {
  const scope = newScope();
  const history = await writeHistory(scope);
  const fromLog = await expectInStep(scope);
  expect(fromLog).toStrictEqual(straightFromInput(scope, history));

  await emptyGraph(scope);
  expect((await scope.found()).nodes.size).toBe(0);
  for (const definition of definitions) {
    const ofScope = { $or: [{ user_id: scope.name }, { org_id: scope.name }] };
    const documents = await db.collection(definition.collection).find(ofScope).toArray();
    const ids = documents.map(({ _id }) => _id);
    expect(await recordCurrentStates(mongodb, db, definition, ids)).toMatchObject({ recorded: ids.length });
  }
  expect(await expectInStep(scope)).toStrictEqual(fromLog);
});

/** Resets the graph for this scope: removes its nodes and the registry nodes of its aggregates. */
async function emptyGraph(scope: XmemScope): Promise<void> {
  const events = await scope.events();
  const keys = events.map(({ aggregateType, aggregateId }) => `${aggregateType}:${aggregateId}`);
  await query('MATCH (n) WHERE n.user_id = $name OR n.org_id = $name DETACH DELETE n', { name: scope.name });
  await query('MATCH (a:OutgraphAggregate) WHERE a.key IN $keys DELETE a', { keys });
}
