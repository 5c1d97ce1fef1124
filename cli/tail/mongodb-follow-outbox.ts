/**
 * Follows events as they are written and settled, without their payloads. For a change of status,
 * the change itself contains what happened, and a lookup of the event adds its names.
 */
import type { ChangeStreamOptions, Collection, Document } from 'mongodb';
import { canaryAggregate } from '../../lib/contract/canary.ts';
import { Fault } from '../../lib/contract/fault.ts';
import { toPosition } from '../../lib/contract/position.ts';
import { streamStart, translateTailError } from '../../lib/publisher/mongodb-change-stream.ts';
import type { ResumeToken } from '../../lib/publisher/mongodb-lease.ts';
import type { TailStart } from '../../lib/publisher/progress.ts';
import type { Happening, OutboxChange } from './outbox-change.ts';

/** Selects the reported changes. An empty list means all. */
export interface ChangeSelection {
  readonly aggregateTypes: readonly string[];
  readonly aggregateIds: readonly string[];
  readonly canaries: boolean;
}

/**
 * An open change stream. `next` throws `history-lost` or `change-event-too-large` if it cannot
 * continue.
 */
export interface OutboxFollower {
  /** Waits up to half a second. Null if nothing happened. */
  readonly next: () => Promise<OutboxChange | null>;
  /** The token with which another stream continues. */
  readonly token: () => ResumeToken | null;
  readonly close: () => Promise<void>;
}

const endings = ['drop', 'rename', 'dropDatabase', 'invalidate'];
const fields = ['_id', 'aggregateType', 'aggregateId', 'operation', 'position', 'createdAt'];
const awaitMillis = 500;

/** Opens the stream lazily: the first `next` throws its errors. */
export function followOutbox(
  outbox: Collection<Document>,
  start: TailStart<ResumeToken>,
  selection: ChangeSelection,
): OutboxFollower {
  // A change of status does not contain the event's names.
  const options: ChangeStreamOptions = { fullDocument: 'updateLookup', maxAwaitTimeMS: awaitMillis };
  const stream = outbox.watch<Document, Document>(pipelineOf(selection), { ...options, ...streamStart(start) });
  return {
    next: async () => {
      try {
        const change = await stream.tryNext();
        return change === null ? null : toChange(change);
      } catch (error) {
        throw translateTailError(error);
      }
    },
    token: () => (stream.resumeToken as ResumeToken | undefined) ?? null,
    close: () => stream.close().catch(() => undefined),
  };
}

function pipelineOf({ aggregateTypes, aggregateIds, canaries }: ChangeSelection): Document[] {
  const chosen = [
    { operationType: { $in: ['insert', 'update'] } },
    { $or: [{ operationType: 'insert' }, { 'updateDescription.updatedFields.status': { $exists: true } }] },
    ...(aggregateTypes.length === 0 ? [] : [{ 'fullDocument.aggregateType': { $in: [...aggregateTypes] } }]),
    ...(aggregateIds.length === 0 ? [] : [{ 'fullDocument.aggregateId': { $in: [...aggregateIds] } }]),
    ...(canaries ? [] : [{ 'fullDocument.aggregateType': { $ne: canaryAggregate.aggregateType } }]),
  ];
  const projection = [
    ...fields.map((name) => `fullDocument.${name}`),
    ...['status', 'processedAt', 'error.code'].map((name) => `updateDescription.updatedFields.${name}`),
    ...['operationType', 'wallTime', 'updateDescription.removedFields'],
  ];
  return [
    { $match: { $or: [{ $and: chosen }, { operationType: { $in: endings } }] } },
    { $project: Object.fromEntries(projection.map((name) => [name, 1])) },
  ];
}

/** Null for an event that was removed before its names could be looked up. */
function toChange({ operationType, wallTime, fullDocument, updateDescription }: Document): OutboxChange | null {
  if (endings.includes(operationType))
    throw new Fault('history-lost', `The change stream of the outbox ended with "${operationType}".`);
  if (fullDocument === null || fullDocument === undefined) return null;
  const { _id, aggregateType, aggregateId, operation, position, createdAt } = fullDocument;
  const happening =
    operationType === 'insert' ? { what: 'written' as const } : happeningOf(updateDescription, createdAt);
  const event = { eventId: String(_id), aggregateType, aggregateId, operation, position: toPosition(position) };
  return { at: wallTime, ...event, ...happening };
}

function happeningOf({ updatedFields }: Document, createdAt: Date): Happening {
  const { status, processedAt, error } = updatedFields;
  if (status === 'processed') return { what: 'applied', lagMillis: Math.max(0, processedAt - createdAt.getTime()) };
  if (status === 'dead') return { what: 'dead', code: String(error?.code) };
  return { what: 'redriven' };
}
