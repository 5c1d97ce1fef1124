/**
 * A history of both graphs, and the graph of its last state, computed directly from the input
 * without MongoDB.
 */

import { toPosition } from '../../../lib/contract/position.ts';
import type { AggregateDefinition } from '../../../lib/projection/define-aggregate.ts';
import { projectPayload } from '../../../lib/projection/project.ts';
import { expectedGraph, type GraphPicture, type ModelEvent } from '../../../lib/testing/expected-graph.ts';
import { codeAnnotation } from '../../../xmem/aggregates/code-annotation.ts';
import { codeFile } from '../../../xmem/aggregates/code-file.ts';
import { codeRepository } from '../../../xmem/aggregates/code-repository.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { memoryUser } from '../../../xmem/aggregates/memory-user.ts';
import { firstScan, sampleEvents, secondScan } from './sample-repository.ts';
import type { XmemScope } from './xmem-scope.ts';

/** The ids of the documents that remain. */
export interface WrittenHistory {
  readonly events: readonly string[];
  readonly annotation: string;
}

const repo = 'r';
const annotated = { kind: 'symbol', file_path: 'src/log.ts', symbol_name: 'write', relevance: 0.5 };
const content = 'writes a line';

/**
 * Events that are added, changed, moved and deleted; and two scans with an annotation between them.
 */
export async function writeHistory(scope: XmemScope): Promise<WrittenHistory> {
  const { memory } = scope;
  const code = scope.repository(repo);
  await memory.addUser();
  for (const { date, ...fields } of sampleEvents) await memory.delete(await memory.add(date, fields));
  const events: string[] = [];
  for (const { date, ...fields } of sampleEvents) {
    const _id = await memory.add('06-30', { ...fields, time: 'soon' });
    await memory.update(_id, { date, time: fields.time ?? null });
    events.push(String(_id));
  }
  await code.addRepository();
  await code.scan(firstScan);
  const annotation = String(await code.annotate(annotated, { content }));
  await code.scan(secondScan);
  return { events, annotation };
}

/** The graph that the last state defines. */
export function straightFromInput({ name }: XmemScope, { events, annotation }: WrittenHistory): GraphPicture {
  const scope = { org_id: name, repo };
  const note = { ...scope, annotation_id: annotation, content, target: annotated };
  return expectedGraph([
    stateOf(memoryUser, 'u', { user_id: name }),
    ...sampleEvents.map((event, index) => stateOf(memoryEvent, events[index] ?? '', { ...event, user_id: name })),
    stateOf(codeRepository, 'r', { org_id: name, repo_name: repo }),
    ...secondScan.map((file) => stateOf(codeFile, file.file_path, { ...scope, ...file })),
    stateOf(codeAnnotation, annotation, note),
  ]);
}

function stateOf<State>(definition: AggregateDefinition<State>, id: string, state: object): ModelEvent {
  return {
    key: `${definition.type}:${id}`,
    position: toPosition({ t: 1, i: 1 }),
    subgraph: projectPayload(definition, id, state),
  };
}
