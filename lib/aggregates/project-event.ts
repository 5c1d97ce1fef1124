/**
 * From an event's payload to its checked subgraph. The writer library calls this when it records an event, so that what could never be applied
 * is refused in the writer's own transaction; the consumer calls it again, because not every writer uses the library.
 */
import type { Document } from 'bson';
import { Fault, isDataFault } from '../contract/fault.ts';
import type { OutboxEvent } from '../contract/outbox-event.ts';
import { readSubgraph } from '../contract/read-subgraph.ts';
import type { ProjectedSubgraph, Subgraph } from '../contract/subgraph.ts';
import type { AggregateCatalog } from './catalog.ts';
import type { AggregateDefinition } from './define-aggregate.ts';

/**
 * The subgraph of an event, by the aggregate type it names; null for a deletion.
 *
 * @throws a data fault.
 */
export function projectOutboxEvent(catalog: AggregateCatalog, event: OutboxEvent): Subgraph | null {
  const definition = catalog.get(event.aggregateType);
  if (definition === undefined) {
    throw new Fault(
      'aggregate-type-unknown',
      `aggregateType: no aggregate "${event.aggregateType}" is declared in the catalog that the consumer was built with.`,
    );
  }
  return event.operation === 'delete' ? null : projectPayload(definition, event.aggregateId, event.payload);
}

/**
 * The subgraph of an aggregate in the state that `payload` holds, with every check that needs no database.
 *
 * @throws a data fault that names the path of what is wrong: `payload-invalid`, `projection-failed`, or one of `readSubgraph`'s.
 */
export function projectPayload<State>(
  definition: AggregateDefinition<State>,
  aggregateId: string,
  payload: Document,
): Subgraph {
  const parsed = definition.payload.safeParse(payload);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${pathText(issue.path)}: ${issue.message}`);
    throw new Fault('payload-invalid', `The payload is not a "${definition.type}": ${problems.join('; ')}.`);
  }
  return readSubgraph(runProjection(definition, aggregateId, parsed.data));
}

function runProjection<State>(
  definition: AggregateDefinition<State>,
  aggregateId: string,
  state: State,
): ProjectedSubgraph {
  try {
    return definition.project(state, aggregateId);
  } catch (error) {
    if (isDataFault(error)) throw error;
    const name = error instanceof Error ? error.name : typeof error;
    throw new Fault('projection-failed', `The projection of "${definition.type}" threw ${name}.`, { cause: error });
  }
}

function pathText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'payload';
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}.${String(part)}`),
    'payload',
  );
}
