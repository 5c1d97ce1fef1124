/**
 * Projects an event's payload to its checked subgraph. The writer library does so when it records
 * an event, to refuse a payload that could never be applied in the writer's own transaction. The
 * consumer does so again, because not every writer uses the library.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Document } from 'bson';
import type { z } from 'zod';
import { bsonTypeOf } from '../contract/bson-type.ts';
import { Fault, isDataFault } from '../contract/fault.ts';
import type { OutboxEvent } from '../contract/outbox-event.ts';
import type { Subgraph } from '../contract/subgraph.ts';
import type { AggregateDefinition } from './define-aggregate.ts';
import { readSubgraph } from './read-subgraph.ts';

/**
 * Returns the subgraph of an event by its aggregate type; null for a deletion.
 *
 * @throws a data fault.
 */
export function projectOutboxEvent(
  catalog: ReadonlyMap<string, AggregateDefinition>,
  event: OutboxEvent,
): Subgraph | null {
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
  const state = parsePayload(definition, payload);
  const projected = faultOnThrow(definition, 'projection', () => definition.project(state, aggregateId));
  return faultOnThrow(definition, 'subgraph', () => readSubgraph(projected));
}

/**
 * Returns what the payload's schema reads.
 *
 * @throws a data fault: `payload-invalid`, or `projection-failed` if the schema throws.
 */
export function parsePayload<State>(
  definition: Pick<AggregateDefinition<State>, 'type' | 'payload'>,
  payload: Document,
): State {
  const schema = definition.payload['~standard'];
  const parsed = faultOnThrow(definition, 'schema', () => schema.validate(payload));
  if (parsed instanceof Promise) {
    parsed.catch(() => undefined);
    throw new Fault('projection-failed', `The schema of "${definition.type}" threw an error, or is asynchronous.`);
  }
  if (parsed.issues !== undefined) {
    const problems = parsed.issues.map((issue) => {
      const isStoredNumber = schema.vendor === 'zod' && rejectsStoredNumber(issue as z.core.$ZodIssue, payload);
      return `${pathText(issue.path ?? [])}: ${issue.message}${isStoredNumber ? ` (${storedNumberHint})` : ''}`;
    });
    throw new Fault('payload-invalid', `The payload is not a "${definition.type}": ${problems.join('; ')}.`);
  }
  return parsed.value;
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

function pathText(path: NonNullable<StandardSchemaV1.Issue['path']>): string {
  return path
    .map((part) => (typeof part === 'object' ? part.key : part))
    .reduce<string>((text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}.${String(key)}`), 'payload');
}

const storedNumberHint =
  'payloads keep numbers as BSON stores them, as Int32, Long or Double: ' +
  'declare the field with storedNumber, which outgraph and outgraph-writer/zod export';

/** Whether a schema for plain numbers rejected a stored number. */
function rejectsStoredNumber(issue: z.core.$ZodIssue, root: unknown): boolean {
  const value = issue.path.reduce<unknown>((parent, part) => (parent as Document | undefined)?.[part as string], root);
  if (issue.code === 'invalid_union') return issue.errors.flat().some((inner) => rejectsStoredNumber(inner, value));
  const wanted =
    (issue.code === 'invalid_type' && ['number', 'int', 'bigint'].includes(issue.expected)) ||
    (issue.code === 'invalid_value' && issue.values.some((literal) => typeof literal === 'number'));
  return wanted && ['Int32', 'Long', 'Double'].includes(bsonTypeOf(value) ?? '');
}
