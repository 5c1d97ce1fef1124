/** What an interrupted command says of how to go on. */
import { expect, it } from 'vitest';
import { goOnText } from '../../../cli/reproject/command.ts';
import { graph } from '../../../lib/projection/graph.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { memoryUser } from '../../../xmem/aggregates/memory-user.ts';

it('names the type that was interrupted and those that it did not come to, and none that is done', () => {
  const types = [memoryUser, memoryEvent, graph];
  expect(goOnText(types, memoryEvent.type, {})).toBe('Interrupted; run it again with memory-event graph to go on.');
  const restarted = goOnText(types, graph.type, { restart: true });
  expect(restarted).toBe('Interrupted; run it again with graph, without --restart, to go on.');
  expect(goOnText(types, memoryEvent.type, { forgetMissing: true })).toBe(
    'Interrupted; run it again with memory-event graph: memory-event begins anew.',
  );
});
