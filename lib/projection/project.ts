/**
 * Projects an event's payload to its checked subgraph. The writer library does so when it records
 * an event, to refuse a payload that could never be applied in the writer's own transaction. The
 * consumer does so again, because not every writer uses the library.
 */
import type { Document } from 'bson';
import type { z } from 'zod';
import { bsonTypeOf } from '../contract/bson-type.ts';
import { Fault, isDataFault } from '../contract/fault.ts';
import type { OutboxEvent } from '../contract/outbox-event.ts';
import type { Subgraph } from '../contract/subgraph.ts';
import type { AggregateCatalog } from './catalog.ts';
import type { AggregateDefinition } from './define-aggregate.ts';
import { readSubgraph } from './read-subgraph.ts';

/**
 * Returns the subgraph of an event by its aggregate type; null for a deletion.
 *
 * @throws a data fault.
 */
export function projectOutboxEvent(catalog: AggregateCatalog, event: OutboxEvent): Subgraph | null {
  const definition = catalog.get(event.aggregateType);
  if (definition === undefined) {
    throw new Fault(
      'aggregate-type-unknown',
      `aggregateType: the consumer's catalog does not declare the aggregate type "${event.aggregateType}".`,
    );
  }
  return event.operation === 'delete' ? null : projectPayload(definition, event.aggregateId, event.payload);
}

/**
 * Returns an aggregate's subgraph in the state of `payload`, after every check that needs no
 * database.
 *
 * @throws a data fault that names the path of the problem: `payload-invalid`, `projection-failed`,
 * or a fault of `readSubgraph`.
 */
export function projectPayload<State>(
  definition: AggregateDefinition<State>,
  aggregateId: string,
  payload: Document,
): Subgraph {
  const parsed = faultOnThrow(definition, 'schema', () => definition.payload.safeParse(payload));
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => {
      const hint = rejectsStoredNumber(issue, payload) ? ` (${storedNumberHint})` : '';
      return `${pathText(issue.path)}: ${issue.message}${hint}`;
    });
    throw new Fault('payload-invalid', `The payload is not a "${definition.type}": ${problems.join('; ')}.`);
  }
  const projected = faultOnThrow(definition, 'projection', () => definition.project(parsed.data, aggregateId));
  return faultOnThrow(definition, 'subgraph', () => readSubgraph(projected));
}

/**
 * Runs a step that depends only on the payload, and turns any error into a data fault. The error
 * recurs with every attempt. Treated as transient, it would block all events of its batch forever.
 */
function faultOnThrow<Result>({ type }: Pick<AggregateDefinition, 'type'>, stage: string, step: () => Result): Result {
  try {
    return step();
  } catch (error) {
    if (isDataFault(error)) throw error;
    const name = error instanceof Error ? error.name : typeof error;
    throw new Fault('projection-failed', `The ${stage} of "${type}" threw ${name}.`, { cause: error });
  }
}

function pathText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'payload';
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}.${String(part)}`),
    'payload',
  );
}

const storedNumberHint =
  'payloads keep numbers as BSON stores them, as Int32, Long or Double: ' +
  'declare the field with storedNumber, which the package outgraph exports';

/** Whether a schema for plain numbers rejected a stored number. */
function rejectsStoredNumber(issue: z.core.$ZodIssue, root: unknown): boolean {
  const value = issue.path.reduce<unknown>((parent, part) => (parent as Document | undefined)?.[part as string], root);
  if (issue.code === 'invalid_union') return issue.errors.flat().some((inner) => rejectsStoredNumber(inner, value));
  const wanted =
    (issue.code === 'invalid_type' && ['number', 'int', 'bigint'].includes(issue.expected)) ||
    (issue.code === 'invalid_value' && issue.values.some((literal) => typeof literal === 'number'));
  return wanted && ['Int32', 'Long', 'Double'].includes(bsonTypeOf(value) ?? '');
}
