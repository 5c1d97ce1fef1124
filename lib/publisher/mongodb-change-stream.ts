/**
 * Tails the outbox with a change stream of inserts, which the server projects to pointers. The
 * stream carries no payloads, so the size of an event does not matter.
 */
import { type ChangeStreamOptions, type Collection, type Document, MongoServerError, Timestamp } from 'mongodb';
import { Fault } from '../contract/fault.ts';
import { entriesPerCall, type Pointer } from '../contract/pointer.ts';
import { fromPosition, type Position } from '../contract/position.ts';
import { translateMongodbError } from '../outbox/mongodb-errors.ts';
import { toPointer } from '../outbox/mongodb-to-pointer.ts';
import type { ResumeToken } from './mongodb-lease.ts';
import type { Tail, TailedPointers } from './ports.ts';
import type { TailStart } from './progress.ts';

/** Maximum number of pointers in a batch if each is sent on its own. */
const batchMaxPointers = 500;
const awaitMillis = 500;

/**
 * Operations that end the stream. The pipeline lets them through, because an ended stream would
 * look like a quiet one.
 */
const endingOperations = ['drop', 'rename', 'dropDatabase', 'invalidate'];

const pipeline: Document[] = [
  { $match: { operationType: { $in: ['insert', ...endingOperations] } } },
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

/** The pipeline and options of the tail's change stream, for the driver's `watch`. */
export function outboxInserts(batchSize: number): [pipeline: Document[], options: ChangeStreamOptions] {
  return [pipeline, { maxAwaitTimeMS: awaitMillis, batchSize }];
}

/** How long to read the rest of the server's batch after the first insert, in milliseconds. */
const drainMillis = 5;

export interface TailOptions {
  /**
   * How long `next` waits for more inserts, in milliseconds, if the previous batch was not empty. A
   * single event is then sent immediately, and events of a busy outbox are sent together. 0 by
   * default.
   */
  readonly lingerMillis?: number;
  /** Maximum number of pointers in an entry, which determines the size of a batch. 1 by default. */
  readonly pointersPerEntry?: number;
  /** Leaves out the other pointers. */
  readonly select?: (pointer: Pointer) => boolean;
}

/**
 * Opens the tail of the outbox. It connects with the first `next`, so an invalid token fails there.
 * `next` waits up to half a second for inserts and always returns a token. `poll` requests more
 * from the server but does not wait.
 */
export function tailOutbox(
  outbox: Collection<Document>,
  start: TailStart<ResumeToken>,
  { lingerMillis = 0, pointersPerEntry = 1, select = () => true }: TailOptions = {},
): Tail<ResumeToken> {
  // Packs are sent in four calls. A checkpoint follows each batch, so smaller batches would mean
  // more checkpoints.
  const maxPointers = Math.max(batchMaxPointers, 4 * entriesPerCall * pointersPerEntry);
  const [inserts, options] = outboxInserts(maxPointers);
  const stream = outbox.watch<Document, InsertedPointer>(inserts, { ...options, ...streamStart(start) });
  let reading: Promise<InsertedPointer | null> | undefined;
  let isBusy = false;

  const readNext = async (deadline: Promise<'nothing yet'> | undefined) => {
    if (reading === undefined) {
      reading = stream.tryNext();
      // The next caller that awaits it handles the error. Until then it must not count as
      // unhandled.
      reading.catch(() => undefined);
    }
    const insert = deadline === undefined ? await reading : await Promise.race([reading, deadline]);
    if (insert !== 'nothing yet') reading = undefined;
    return insert;
  };

  const read = async (waits: boolean): Promise<TailedPointers<ResumeToken>> => {
    const pointers: Pointer[] = [];
    let token: ResumeToken | null = null;
    const lingersUntil = isBusy ? performance.now() + lingerMillis : 0;
    let deadline = waits ? undefined : immediately();
    while (pointers.length < maxPointers) {
      const insert = await readNext(deadline);
      deadline ??= linger(Math.max(drainMillis, lingersUntil - performance.now()));
      if (insert === 'nothing yet') break;
      if (insert === null) {
        // The post-batch token advances even if nothing matched, so a quiet outbox's token does not
        // age out of the oplog.
        token = stream.resumeToken as ResumeToken;
        break;
      }
      if (insert.operationType !== 'insert') {
        throw new Fault(
          'history-lost',
          `The outbox's change stream ended with a ${insert.operationType}: the collection was dropped or renamed.`,
        );
      }
      const pointer = toPointer(insert.fullDocument);
      if (pointer !== null && select(pointer)) pointers.push(pointer);
      token = insert._id;
    }
    isBusy = pointers.length > 0;
    return { pointers, resumeToken: token };
  };

  const readOrFault = (waits: boolean) =>
    read(waits).catch((error: unknown) => Promise.reject(translateTailError(error)));
  return {
    next: () => readOrFault(true),
    poll: () => readOrFault(false),
    // The server itself ends a stream that cannot be closed.
    close: () => stream.close().catch(() => undefined),
  };
}

/**
 * Error codes after which the stream cannot resume from its token: invalid token, history lost,
 * fatal.
 */
const lostCodes: ReadonlySet<unknown> = new Set([260, 286, 280]);

/**
 * BSONObjectTooLarge: the next event exceeds the size limit of a document. Every stream that
 * resumes from the same token ends the same way.
 */
const tooLargeCode = 10334;

/** Translates an error of the outbox's change stream into a fault. */
export function translateTailError(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof MongoServerError && error.code === tooLargeCode) {
    return new Fault('change-event-too-large', 'The change stream cannot deliver an event that is too large.', {
      cause: error,
    });
  }
  if (error instanceof MongoServerError && lostCodes.has(error.code)) {
    return new Fault('history-lost', `The change stream cannot resume from its token (code ${error.code}).`, {
      cause: error,
    });
  }
  // Dropping the collection invalidates the stream, and the driver then reports it as closed.
  if (error instanceof Error && error.name === 'MongoAPIError') {
    return new Fault('history-lost', 'The change stream was closed by the server.', { cause: error });
  }
  return translateMongodbError(error);
}

function linger(millis: number): Promise<'nothing yet'> {
  return new Promise((resolve) => setTimeout(resolve, millis, 'nothing yet' as const));
}

/**
 * Resolves after everything that has already arrived. Buffered inserts need only promises, which
 * run before this.
 */
function immediately(): Promise<'nothing yet'> {
  return new Promise((resolve) => setImmediate(resolve, 'nothing yet' as const));
}

/** Returns the driver's options for a start of a change stream. */
export function streamStart(start: TailStart<ResumeToken>): ChangeStreamOptions {
  if ('resumeToken' in start) return { resumeAfter: start.resumeToken };
  return { startAtOperationTime: nextTimestamp(start.after) };
}

/** The start of a change stream is inclusive. */
function nextTimestamp(position: Position): Timestamp {
  const { t, i } = fromPosition(position);
  return new Timestamp({ t, i: i + 1 });
}
