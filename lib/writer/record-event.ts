/**
 * Records events in the outbox, inside the transaction that writes their documents. What could never be applied is
 * refused here, in the writer's own transaction, where it can still be mended.
 */
import { type ClientSession, type Db, type Document, Int32, ObjectId, Timestamp } from 'mongodb';
import { bsonTypeOf } from '../contract/bson-type.ts';
import { Fault } from '../contract/fault.ts';
import { type OutboxDocument, outboxCollection, outboxDocumentSchema } from '../contract/outbox-event.ts';
import type { AggregateDefinition } from '../projection/define-aggregate.ts';
import { projectPayload } from '../projection/project.ts';
import { activeTraceparent } from './active-traceparent.ts';
import { commitsOnlyWith } from './forbid-commit.ts';
import { labelTransient } from './in-transaction.ts';
import { requireTransaction } from './require-transaction.ts';

/** What happened to one aggregate. The payload is the full state after the write, never a delta. */
export type AggregateChange =
  | { readonly operation: 'upsert'; readonly aggregateId: string; readonly payload: Document }
  | { readonly operation: 'delete'; readonly aggregateId: string };

export interface RecordOptions {
  /**
   * W3C trace context, carried to the apply; left out, or malformed, that of the active OpenTelemetry span, if there is
   * one.
   */
  readonly traceparent?: string;
}

/**
 * Records one event. Write the document first, then record its event, both with the same session.
 *
 * @param session the session of a running transaction with write concern majority; without one nothing is written.
 * @param db the database of the document: its outbox is in the same one.
 * @throws Fault `no-transaction` or `write-concern`; a data fault that names what is wrong with the payload. After any
 * error the transaction cannot be committed, also if you catch the error.
 * @example
 * await client.withSession((session) =>
 *   session.withTransaction(async () => {
 *     await db.collection('people').insertOne(ada, { session });
 *     await recordEvent(session, db, person, { operation: 'upsert', aggregateId: ada._id, payload: ada });
 *   }),
 * );
 */
export async function recordEvent<State>(
  session: ClientSession,
  db: Db,
  definition: AggregateDefinition<State>,
  change: AggregateChange,
  options: RecordOptions = {},
): Promise<void> {
  await recordEvents(session, db, definition, [change], options);
}

/** Records events of several aggregates of one type, in the order given. */
export async function recordEvents<State>(
  session: ClientSession,
  db: Db,
  definition: AggregateDefinition<State>,
  changes: readonly AggregateChange[],
  options: RecordOptions = {},
): Promise<void> {
  await commitsOnlyWith(session, async () => {
    requireTransaction(session);
    await insertEvents(session, db, createEvents(definition, changes, options));
  });
}

/** The outbox documents of changes. @throws a data fault that names what is wrong with one of them. */
export function createEvents<State>(
  definition: AggregateDefinition<State>,
  changes: readonly AggregateChange[],
  options: RecordOptions,
): readonly OutboxDocument[] {
  const traceparent = activeTraceparent(options.traceparent);
  return changes.map((change) => {
    if (change.operation === 'upsert') projectPayload(definition, change.aggregateId, change.payload);
    return createEvent(definition, change, traceparent);
  });
}

/** Inserts events in their order. */
export async function insertEvents(session: ClientSession, db: Db, events: readonly OutboxDocument[]): Promise<void> {
  if (events.length === 0) return;
  const outbox = db.collection<OutboxDocument>(outboxCollection);
  await labelTransient(() => outbox.insertMany(events, { session, ignoreUndefined: false }));
}

/**
 * The outbox document of a change, whether or not its payload can be projected.
 *
 * @throws a fault `event-invalid`.
 */
export function createEvent<State>(
  definition: AggregateDefinition<State>,
  change: AggregateChange,
  traceparent?: string,
): OutboxDocument {
  const event = {
    _id: new ObjectId(),
    aggregateType: definition.type,
    aggregateId: change.aggregateId,
    operation: change.operation,
    ...(change.operation === 'upsert' ? { payload: change.payload } : {}),
    // Empty: the server puts its own time here, also in a transaction.
    position: new Timestamp({ t: 0, i: 0 }),
    createdAt: new Date(),
    ...(traceparent === undefined ? {} : { traceparent }),
    status: 'pending' as const,
    attempts: 0,
  };
  const parsed = outboxDocumentSchema.safeParse(event);
  const problems = parsed.error?.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`) ?? [];
  const impossible = change.operation === 'upsert' ? impossibleDate(change.payload, 'payload') : undefined;
  if (impossible !== undefined) problems.push(`${impossible} is a date that JavaScript cannot hold`);
  if (!parsed.success || problems.length > 0) {
    throw new Fault('event-invalid', `The event of a "${definition.type}" cannot be recorded: ${problems.join('; ')}.`);
  }
  return { ...parsed.data, attempts: new Int32(0) as unknown as number };
}

/** The path of a date beyond JavaScript's range, which would be recorded as 1970. */
function impossibleDate(value: unknown, path: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? path : undefined;
  if (Array.isArray(value)) return firstOf(value, (element, index) => impossibleDate(element, `${path}[${index}]`));
  if (bsonTypeOf(value) !== undefined) return undefined;
  return firstOf(Object.entries(value), ([name, field]) => impossibleDate(field, `${path}.${name}`));
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
