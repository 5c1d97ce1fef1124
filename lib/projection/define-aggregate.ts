/**
 * Connects a MongoDB collection with an aggregate type, its id, its payload and its projection. The
 * writer library records events with it, and the consumer projects with it.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Binary, Document } from 'bson';
import { bsonTypeOf } from '../contract/bson-type.ts';
import { Fault } from '../contract/fault.ts';
import { uuidText } from '../contract/graph-value.ts';
import { isAggregateType } from '../contract/outbox-event.ts';
import type { KeyNames, ProjectedSubgraph } from '../contract/subgraph.ts';
import { type IndexDeclaration, indexProblem } from './index-declaration.ts';

/**
 * Names of key properties by label, relationship types, and indexes for readers.
 *
 * @example
 * const declaration: GraphDeclaration = {
 *   labels: { Person: ['person_id'] },
 *   types: ['KNOWS'],
 *   indexes: [{ kind: 'range', label: 'Person', properties: ['name'] }],
 * };
 */
export interface GraphDeclaration<Labels extends KeyNames = KeyNames, Type extends string = string> {
  readonly labels: Labels;
  readonly types: readonly Type[];
  readonly indexes?: readonly IndexDeclaration[];
}

/**
 * The declaration of an aggregate type. Create it with `defineAggregate`.
 *
 * @example
 * const tag: AggregateDefinition<{ name: string }> = {
 *   type: 'tag',
 *   collection: 'tags',
 *   id: documentId,
 *   payload: z.object({ name: z.string() }),
 *   project: ({ name }, tag_id) => ({
 *     nodes: [{ label: 'Tag', key: { tag_id }, properties: { name } }],
 *     relationships: [],
 *   }),
 * };
 */
export interface AggregateDefinition<State = unknown, Stored extends Document = Document> {
  /**
   * The event's `aggregateType`: lower-case words joined by hyphens, at most 64 characters
   * (`docs/reference/contract.md`).
   */
  readonly type: string;
  /** The collection whose documents are these aggregates. */
  readonly collection: string;
  /**
   * Returns the `aggregateId` of a document: 1 to 512 bytes of UTF-8
   * (`docs/reference/contract.md`), unique in the collection. It must never change while the
   * document exists, and must not be reused afterwards. An update that changes it is refused.
   *
   * If a collection mixes types of ids, equal texts are one aggregate: 7 and `"7"`, or an ObjectId
   * and its digits. `outgraph verify` and `outgraph doctor` report them.
   */
  id(document: Stored): string;
  /**
   * Schema of the payload, checked when an event is recorded and again when it is applied. It
   * receives stored BSON values, and plain numbers where it refuses `Int32`, `Long` and `Double`
   * (`docs/reference/values.md`). A synchronous schema of any library that follows Standard Schema
   * will do (https://standardschema.dev).
   */
  readonly payload: StandardSchemaV1<unknown, State>;
  /**
   * The top-level fields that `payload` reads. An update that touches only others needs no read of
   * its documents, if `id` is `documentId`. Default: the fields of a plain `z.object`. Name them for
   * a schema of another library, and for one with a check of its own, if it ignores other fields.
   */
  readonly fields?: readonly string[];
  /**
   * The projection's labels (with the names of their key properties) and relationship types. The
   * set-up creates their constraints. Without a declaration, the consumer creates them before the
   * first apply that needs them, if it may change the schema.
   */
  readonly declares?: GraphDeclaration;
  /**
   * A pure function from the parsed payload to the subgraph. It must not use the time, randomness
   * or other data.
   */
  project(state: State, aggregateId: string): ProjectedSubgraph;
}

/** The document that a payload schema reads. It may have further fields. */
type DocumentOf<Input> = Document & { [Name in keyof Input as string extends Name ? never : Name]: Input[Name] };

/**
 * Declares an aggregate type. Add the result to your functions' catalog, so that the consumer knows
 * it.
 *
 * What `declares` names is all that `project` may return: another label, key or relationship type
 * does not compile.
 *
 * @throws Error if the outbox does not allow the type's name, a name in `fields` is a path, or an
 * index cannot be created.
 * @example
 * export const person = defineAggregate({
 *   type: 'person',
 *   collection: 'people',
 *   id: (document) => String(document._id),
 *   payload: z.object({ name: z.string() }),
 *   project: (state, aggregateId) => ({
 *     nodes: [
 *       { label: 'Person', key: { person_id: aggregateId }, properties: { name: state.name } },
 *     ],
 *     relationships: [],
 *   }),
 * });
 */
export function defineAggregate<
  State,
  Input = unknown,
  const Labels extends KeyNames = KeyNames,
  const Type extends string = string,
>(
  definition: Omit<AggregateDefinition<State>, 'payload' | 'declares' | 'project'> & {
    readonly payload: StandardSchemaV1<Input, State>;
    readonly declares?: GraphDeclaration<Labels, Type>;
    project(state: State, aggregateId: string): ProjectedSubgraph<NoInfer<Labels>, NoInfer<Type>>;
  },
): AggregateDefinition<State, DocumentOf<Input>> {
  if (!isAggregateType(definition.type)) {
    throw new Error(
      `The aggregate type "${definition.type}" is not allowed: ` +
        'use lower-case words joined by hyphens, at most 64 characters.',
    );
  }
  const path = definition.fields?.find((name) => name.includes('.'));
  if (path !== undefined)
    throw new Error(
      `The aggregate type "${definition.type}" names the path "${path}" in its fields: ` +
        'name the top-level field that contains it.',
    );
  for (const index of definition.declares?.indexes ?? []) {
    const problem = indexProblem(index);
    if (problem !== null)
      throw new Error(`An index that the aggregate type "${definition.type}" declares is not allowed: ${problem}.`);
  }
  return definition;
}

/**
 * Returns a document's `_id` as text that is the same in every language: an ObjectId's hexadecimal
 * digits, a UUID's text, an integer's digits, or the string itself.
 *
 * Use one type of `_id` in a collection. 7 and '7' have the same text, as have an ObjectId and its
 * digits as a string, so they are one aggregate.
 *
 * @throws Fault `event-invalid` for an `_id` of another type, whose text differs between languages.
 * Declare your own `id` function.
 * @example
 * documentId({ _id: new ObjectId('66a0c0ffee0123456789abcd') }); // '66a0c0ffee0123456789abcd'
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
