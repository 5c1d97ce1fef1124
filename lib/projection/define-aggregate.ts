/**
 * The one place that ties a MongoDB collection to an aggregate type, its id, its payload and its projection. The writer
 * library records events by it, the consumer projects by it.
 */
import type { Binary, Document } from 'bson';
import type { z } from 'zod';
import { bsonTypeOf } from '../contract/bson-type.ts';
import { Fault } from '../contract/fault.ts';
import { uuidText } from '../contract/graph-value.ts';
import { aggregateTypePattern } from '../contract/outbox-event.ts';
import type { ProjectedSubgraph } from '../contract/subgraph.ts';

/** Key property names by label, and relationship types. */
export interface GraphDeclaration {
  readonly labels: Readonly<Record<string, readonly string[]>>;
  readonly types: readonly string[];
}

/** What an aggregate type is declared with. */
export interface AggregateDefinition<State = unknown> {
  /** The event's `aggregateType`: lower-case words joined by hyphens, at most 64 characters. */
  readonly type: string;
  /** The collection whose documents are these aggregates. */
  readonly collection: string;
  /**
   * The `aggregateId` of a document: text that no other document of the collection has, that never changes while the
   * document exists, and that is not used again after it. An update that changes it is refused. With ids of several
   * types in one collection, 7 and `"7"`, or an ObjectId and its digits, are one aggregate (`outgraph verify` and
   * `outgraph doctor` name them).
   */
  readonly id: (document: Document) => string;
  /**
   * The payload's shape, parsed when an event is recorded and again when it is applied. It sees BSON values as they are
   * stored: `Int32`, `Long` and `Double` objects, never plain numbers. Declare numbers with `storedNumber`.
   */
  readonly payload: z.ZodType<State>;
  /**
   * The labels (with the names of their key properties) and relationship types that the projection uses: their
   * constraints are made by the set-up. Left out, they are made before the first apply that needs them, if the consumer
   * may change the schema.
   */
  readonly declares?: GraphDeclaration;
  /** A pure function from the parsed payload to the subgraph: no clock, no chance, no look-ups. */
  project(state: State, aggregateId: string): ProjectedSubgraph;
}

/**
 * Declares an aggregate type. Add the result to the catalog of your functions, so that the consumer knows it.
 *
 * @throws Error if the type's name is not allowed in the outbox.
 * @example
 * export const person = defineAggregate({
 *   type: 'person',
 *   collection: 'people',
 *   id: (document) => String(document._id),
 *   payload: z.object({ name: z.string() }),
 *   project: (state, aggregateId) => ({
 *     nodes: [{ label: 'Person', key: { person_id: aggregateId }, properties: { name: state.name } }],
 *     relationships: [],
 *   }),
 * });
 */
export function defineAggregate<State>(definition: AggregateDefinition<State>): AggregateDefinition<State> {
  if (!aggregateTypePattern.test(definition.type) || definition.type.length > 64) {
    throw new Error(
      `The aggregate type "${definition.type}" is not allowed: use lower-case words joined by hyphens, at most 64 characters.`,
    );
  }
  return definition;
}

/**
 * The text of a document's `_id`, the same in every language: an ObjectId's hexadecimal digits, a UUID's text, an
 * integer's digits, a string as it is.
 *
 * Use one type of `_id` in a collection: 7 and '7', or an ObjectId and its digits as a string, have the same text, and
 * so are one aggregate.
 *
 * @throws Fault `event-invalid` for an `_id` of another type, which languages write in different ways, or not at all:
 * declare an `id` of your own.
 */
export function documentId(document: Document): string {
  const id: unknown = document._id;
  const text = idText(id);
  if (text !== null) return text;
  const type = bsonTypeOf(id) ?? (id === null ? 'null' : typeof id);
  throw new Fault(
    'event-invalid',
    `aggregateId: an _id of type ${type} has no text of its own; declare the aggregate with an id function.`,
  );
}

function idText(id: unknown): string | null {
  switch (bsonTypeOf(id) ?? typeof id) {
    case 'string':
    case 'bigint':
    case 'ObjectId':
    case 'Int32':
    case 'Long':
      return String(id);
    case 'number':
    case 'Double':
      return Number.isSafeInteger(Number(id)) ? String(Number(id)) : null;
    case 'Binary':
      return uuidText(id as Binary);
    default:
      return null;
  }
}
