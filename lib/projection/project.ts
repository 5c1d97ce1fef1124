/**
 * Projects an event's payload to its checked subgraph. The writer library does so when it records
 * an event, to refuse a payload that could never be applied in the writer's own transaction. The
 * consumer does so again, because not every writer uses the library.
 */
import type { Document } from 'bson';
import { Fault, isDataFault } from '../contract/fault.ts';
import type { OutboxEvent } from '../contract/outbox-event.ts';
import type { Subgraph } from '../contract/subgraph.ts';
import type { AggregateDefinition } from './define-aggregate.ts';
import { isUnsafeLong, validateNumbers } from './plain-numbers.ts';
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
  const validate = (value: unknown) => {
    const parsed = definition.payload['~standard'].validate(value);
    if (!(parsed instanceof Promise)) return parsed;
    parsed.catch(() => undefined);
    throw new Fault('projection-failed', `The schema of "${definition.type}" threw an error, or is asynchronous.`);
  };
  const parsed = faultOnThrow(definition, 'schema', () => validateNumbers(validate, payload));
  if (parsed.issues !== undefined) {
    const problems = parsed.issues.map(({ path = [], message }) => {
      const names = path.map((part) => (typeof part === 'object' ? part.key : part));
      const value = names.reduce<unknown>(
        (parent, name) => (parent as Document | undefined)?.[name as string],
        payload,
      );
      return `${pathText(names)}: ${message}${isUnsafeLong(value) ? ` (${unsafeLongHint})` : ''}`;
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

function pathText(names: readonly PropertyKey[]): string {
  return names.reduce<string>(
    (text, name) => (typeof name === 'number' ? `${text}[${name}]` : `${text}.${String(name)}`),
    'payload',
  );
}

const unsafeLongHint =
  'a JavaScript number is not exact beyond 2^53: declare the field with z.bigint() or with storedNumber, which ' +
  'outgraph and outgraph-writer/zod export';
