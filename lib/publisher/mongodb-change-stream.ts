/**
 * Tails the outbox: a change stream of inserts only, projected on the server to the pointer. The payload never leaves
 * MongoDB on this way, so the size of an event does not matter here.
 */
import { type ChangeStreamOptions, type Collection, type Document, MongoServerError, Timestamp } from 'mongodb';
import { Fault } from '../contract/fault.ts';
import type { Pointer } from '../contract/pointer.ts';
import { fromPosition, type Position } from '../contract/position.ts';
import { translateMongodbError } from '../outbox/mongodb-errors.ts';
import { toPointer } from '../outbox/mongodb-to-pointer.ts';
import type { ResumeToken } from './mongodb-lease.ts';
import type { TailStart } from './progress.ts';

/**
 * The next inserts in their order, possibly none; `resumeToken` lies after the last of them, and is null if the server
 * has not told one since.
 */
export interface TailBatch {
  readonly pointers: readonly Pointer[];
  readonly resumeToken: ResumeToken | null;
}

/**
 * An open change stream. If it cannot go on from where it is, both reads throw a fault: `history-lost`, or
 * `change-event-too-large` where it cannot get past one event.
 */
export interface OutboxTail {
  /** Waits up to half a second for inserts; there is always a token. */
  readonly next: () => Promise<TailBatch>;
  /** What has come by now: asks the server for more, but does not wait for its answer. */
  readonly poll: () => Promise<TailBatch>;
  readonly close: () => Promise<void>;
}

const batchMaxPointers = 500;
const awaitMillis = 500;

/** A batch goes out this long after its first insert, however many others keep coming. */
const lingerMillis = 5;

/** What ends the stream: it is let through, because a stream that ended looks like a quiet one otherwise. */
const endings = ['drop', 'rename', 'dropDatabase', 'invalidate'];

const pipeline: Document[] = [
  { $match: { operationType: { $in: ['insert', ...endings] } } },
  {
    $project: {
      _id: 1,
      operationType: 1,
      'fullDocument._id': 1,
      'fullDocument.aggregateType': 1,
      'fullDocument.aggregateId': 1,
      'fullDocument.traceparent': 1,
    },
  },
];

interface InsertedPointer extends Document {
  readonly _id: ResumeToken;
  readonly operationType: string;
  readonly fullDocument: Document;
}

/** The change stream of the tail, as the driver's `watch` takes it. */
export function outboxInserts(): [pipeline: Document[], options: ChangeStreamOptions] {
  return [pipeline, { maxAwaitTimeMS: awaitMillis, batchSize: batchMaxPointers }];
}

/** Opens the tail. Lazily: a token that is lost shows at the first `next`. */
export function tailOutbox(outbox: Collection<Document>, start: TailStart<ResumeToken>): OutboxTail {
  const [inserts, options] = outboxInserts();
  const stream = outbox.watch<Document, InsertedPointer>(inserts, { ...options, ...streamStart(start) });
  let reading: Promise<InsertedPointer | null> | undefined;

  const readOne = async (impatience: Promise<'nothing yet'> | undefined) => {
    if (reading === undefined) {
      reading = stream.tryNext();
      // Whoever awaits it next sees the error; until then it must not count as unhandled.
      reading.catch(() => undefined);
    }
    const one = impatience === undefined ? await reading : await Promise.race([reading, impatience]);
    if (one !== 'nothing yet') reading = undefined;
    return one;
  };

  const read = async (waits: boolean): Promise<TailBatch> => {
    const pointers: Pointer[] = [];
    let token: ResumeToken | null = null;
    let impatience = waits ? undefined : immediately();
    while (pointers.length < batchMaxPointers) {
      const insert = await readOne(impatience);
      impatience ??= linger();
      if (insert === 'nothing yet') break;
      if (insert === null) {
        // The post-batch token: it moves on also when nothing matched, so that a quiet outbox does not age out of the
        // oplog.
        token = stream.resumeToken as ResumeToken;
        break;
      }
      if (insert.operationType !== 'insert') {
        throw new Fault('history-lost', `The outbox met a ${insert.operationType}: its change stream has ended.`);
      }
      const pointer = toPointer(insert.fullDocument);
      if (pointer !== null) pointers.push(pointer);
      token = insert._id;
    }
    return { pointers, resumeToken: token };
  };

  const readOrFault = (waits: boolean) =>
    read(waits).catch((error: unknown) => Promise.reject(translateTailError(error)));
  return {
    next: () => readOrFault(true),
    poll: () => readOrFault(false),
    // A stream that cannot be closed is one that the server ends by itself.
    close: () => stream.close().catch(() => undefined),
  };
}

/** The error codes that mean the stream cannot go on from its token: invalid token, history lost, fatal. */
const lostCodes: ReadonlySet<unknown> = new Set([260, 286, 280]);

/**
 * The next event is larger than a document may be (BSONObjectTooLarge): every stream that goes on from the same token
 * ends the same.
 */
const tooLargeCode = 10334;

/** What a change stream of the outbox cannot go on after, as a fault. */
export function translateTailError(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof MongoServerError && error.code === tooLargeCode) {
    return new Fault('change-event-too-large', 'The change stream cannot bring an event that is too large.', {
      cause: error,
    });
  }
  if (error instanceof MongoServerError && lostCodes.has(error.code)) {
    return new Fault('history-lost', `The change stream cannot go on from its token (code ${error.code}).`, {
      cause: error,
    });
  }
  // Dropping the collection invalidates the stream: the driver then reports it closed.
  if (error instanceof Error && error.name === 'MongoAPIError') {
    return new Fault('history-lost', 'The change stream was closed by the server.', { cause: error });
  }
  return translateMongodbError(error);
}

function linger(): Promise<'nothing yet'> {
  return new Promise((resolve) => setTimeout(resolve, lingerMillis, 'nothing yet' as const));
}

/** After whatever has come already: what is buffered needs no more than promises, which go before this. */
function immediately(): Promise<'nothing yet'> {
  return new Promise((resolve) => setImmediate(resolve, 'nothing yet' as const));
}

/** Where a change stream begins, as the driver takes it. */
export function streamStart(start: TailStart<ResumeToken>): ChangeStreamOptions {
  if ('resumeToken' in start) return { resumeAfter: start.resumeToken };
  return { startAtOperationTime: nextTimestamp(start.after) };
}

/** The start of a change stream is inclusive. */
function nextTimestamp(position: Position): Timestamp {
  const { t, i } = fromPosition(position);
  return new Timestamp({ t, i: i + 1 });
}
