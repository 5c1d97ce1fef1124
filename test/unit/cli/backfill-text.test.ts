/** How an interrupted command says how to continue. */
import { expect, it } from 'vitest';
import { continueText } from '../../../cli/backfill/text.ts';
import { graph } from '../../../lib/projection/graph.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { memoryUser } from '../../../xmem/aggregates/memory-user.ts';

it('names the interrupted type and the remaining ones, but no type that is done', () => {
  const types = [memoryUser, memoryEvent, graph];
  expect(continueText(types, memoryEvent.type, {})).toBe(
    'Interrupted. Run it again with memory-event graph to continue.',
  );
  const restarted = continueText(types, graph.type, { restart: true });
  expect(restarted).toBe('Interrupted. Run it again with graph, without --restart, to continue.');
  expect(continueText(types, memoryEvent.type, { prune: true })).toBe(
    'Interrupted. Run it again with memory-event graph: memory-event starts at the first document.',
  );
});
