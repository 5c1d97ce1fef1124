/**
 * Records events in the outbox, inside the transaction that writes their documents. A payload that
 * could never be applied is refused here, in the writer's own transaction, where you can still
 * correct it.
 */
import { type ClientSession, type Db, type Document, Int32, ObjectId, Timestamp } from 'mongodb';
import { bsonTypeOf } from '../contract/bson-type.ts';
import { Fault } from '../contract/fault.ts';
import {
  aggregateIdMaxBytes,
  isAggregateId,
  isAggregateType,
  isPlainObject,
  type OutboxDocument,
  operations,
  outboxCollection,
} from '../contract/outbox-event.ts';
import { checkDeclared } from '../projection/check-declared.ts';
import type { AggregateDefinition } from '../projection/define-aggregate.ts';
import { projectPayload } from '../projection/project.ts';
import { activeTraceparent } from './active-traceparent.ts';
import { forbidCommitOnFailure } from './forbid-commit.ts';
import { labelTransient } from './in-transaction.ts';
import { requireTransaction } from './require-transaction.ts';

/**
 * A change of one aggregate. `payload` is the full state after the write, never a delta.
 *
 * @example
 * const change: AggregateChange = { operation: 'delete', aggregateId: 'ada' };
 */
export type AggregateChange =
  | { readonly operation: 'upsert'; readonly aggregateId: string; readonly payload: Document }
  | { readonly operation: 'delete'; readonly aggregateId: string };

/**
 * Options for recording events.
 *
 * @example
 * const options: EventOptions = {
 *   traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
 * };
 */
export interface EventOptions {
  /**
   * W3C trace context (https://www.w3.org/TR/trace-context/#traceparent-header), passed on to the
   * consumer's spans. If it is absent or malformed, it defaults to the active OpenTelemetry span's,
   * if there is one.
   */
  readonly traceparent?: string;
}

/**
 * Options of a write to a tracked collection, besides the driver's.
 *
 * @example
 * const options: RecordOptions = { recordUnchanged: true };
 */
export interface RecordOptions extends EventOptions {
  /**
   * Also records an event if a document changes only in what its payload schema does not read.
   * Default: false, because the graph would not change.
   */
  readonly recordUnchanged?: boolean;
}

/**
 * Records one event. Write the document first, then record its event, both with the same session.
 *
 * @param session the session of a running transaction with write concern majority.
 * @param db the database of the document, which also contains its outbox.
 * @throws Fault `no-transaction` or `write-concern`, before anything is written; a data fault that
 * names the invalid path of the payload. After any error the transaction cannot be committed, even
 * if you catch the error.
 * @example
 * await client.withSession((session) =>
 *   session.withTransaction(async () => {
 *     await db.collection('people').insertOne(ada, { session });
 *     const change = { operation: 'upsert', aggregateId: ada._id, payload: ada } as const;
 *     await recordEvent(session, db, person, change);
 *   }),
 * );
 */
export async function recordEvent<State>(
  session: ClientSession,
  db: Db,
  definition: AggregateDefinition<State>,
  change: AggregateChange,
  options: EventOptions = {},
): Promise<ObjectId> {
  const [eventId] = await recordEvents(session, db, definition, [change], options);
  return eventId as ObjectId;
}

/**
 * Records events of several aggregates of one type, in the given order.
 *
 * @throws as `recordEvent`.
 * @example
 * await recordEvents(session, db, person, [
 *   { operation: 'upsert', aggregateId: ada._id, payload: ada },
 *   { operation: 'delete', aggregateId: 'bob' },
 * ]);
 */
export async function recordEvents<State>(
  session: ClientSession,
  db: Db,
  definition: AggregateDefinition<State>,
  changes: readonly AggregateChange[],
  options: EventOptions = {},
): Promise<readonly ObjectId[]> {
  return forbidCommitOnFailure(session, async () => {
    requireTransaction(session);
    return insertEvents(session, db, await createEvents(definition, changes, options));
  });
}

/**
 * Creates the outbox documents of changes.
 *
 * @throws a data fault that names the invalid path of one of them, or what the aggregate type does
 * not declare.
 */
export async function createEvents<State>(
  definition: AggregateDefinition<State>,
  changes: readonly AggregateChange[],
  options: EventOptions,
): Promise<readonly OutboxDocument[]> {
  const traceparent = await activeTraceparent(options.traceparent);
  return changes.map((change) => {
    if (change.operation === 'upsert')
      checkDeclared(definition, projectPayload(definition, change.aggregateId, change.payload));
    return createEvent(definition, change, traceparent);
  });
}

/** Inserts events in the given order. Returns their ids. */
export async function insertEvents(
  session: ClientSession,
  db: Db,
  events: readonly OutboxDocument[],
): Promise<readonly ObjectId[]> {
  if (events.length === 0) return [];
  const outbox = db.collection<OutboxDocument>(outboxCollection);
  await labelTransient(() => outbox.insertMany(events, { session, ignoreUndefined: false }));
  return events.map(({ _id }) => _id);
}

/**
 * Creates the outbox document of a change, whether or not its payload can be projected.
 *
 * @throws Fault `event-invalid`.
 */
export function createEvent<State>(
  definition: AggregateDefinition<State>,
  change: AggregateChange,
  traceparent?: string,
): OutboxDocument {
  const problems = problemsOf(definition, change);
  if (problems.length > 0) {
    throw new Fault('event-invalid', `The event of a "${definition.type}" cannot be recorded: ${problems.join('; ')}.`);
  }
  return {
    _id: new ObjectId(),
    aggregateType: definition.type,
    aggregateId: change.aggregateId,
    operation: change.operation,
    ...(change.operation === 'upsert' ? { payload: change.payload } : {}),
    // Empty: the server assigns its own time, also in a transaction.
    position: new Timestamp({ t: 0, i: 0 }),
    createdAt: new Date(),
    ...(traceparent === undefined ? {} : { traceparent }),
    status: 'pending',
    attempts: new Int32(0) as unknown as number,
  };
}

/** The problems with what the caller chose, which types alone do not prevent. */
function problemsOf({ type }: Pick<AggregateDefinition, 'type'>, change: AggregateChange): readonly string[] {
  const { operation, aggregateId } = change;
  const problems: string[] = [];
  if (!isAggregateType(type)) problems.push('aggregateType must be lower-case words joined by hyphens');
  if (!isAggregateId(aggregateId))
    problems.push(`aggregateId must be a text of 1 to ${aggregateIdMaxBytes} bytes of UTF-8`);
  if (!operations.includes(operation)) problems.push(`operation must be ${operations.join(' or ')}`);
  if (operation !== 'upsert') return problems;
  if (!isPlainObject(change.payload)) problems.push('payload must be an object');
  const invalidDate = invalidDatePath(change.payload, 'payload');
  if (invalidDate !== undefined) problems.push(`${invalidDate} is a date that JavaScript cannot hold`);
  return problems;
}

/** Returns the path of a date beyond JavaScript's range, which would be recorded as 1970. */
function invalidDatePath(value: unknown, path: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? path : undefined;
  if (Array.isArray(value)) return firstOf(value, (element, index) => invalidDatePath(element, `${path}[${index}]`));
  if (bsonTypeOf(value) !== undefined) return undefined;
  return firstOf(Object.entries(value), ([name, field]) => invalidDatePath(field, `${path}.${name}`));
}

function firstOf<Item>(
  items: readonly Item[],
  find: (item: Item, index: number) => string | undefined,
): string | undefined {
  for (const [index, item] of items.entries()) {
    const found = find(item, index);
    if (found !== undefined) return found;
  }
  return undefined;
}
