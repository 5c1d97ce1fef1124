/**
 * Tails the outbox: a change stream of inserts only, projected on the server to the pointer. The payload never leaves MongoDB on this way, so the size
 * of an event does not matter here.
 */
import { type ChangeStreamOptions, type Collection, type Document, MongoServerError, type Timestamp } from 'mongodb';
import { Fault } from '../contract/fault.ts';
import type { Pointer } from '../contract/pointer.ts';
import type { ResumeToken } from './publisher-lease.ts';
import { translateMongodbError } from './translate-error.ts';

/** Where a tail starts: after a saved token, or at a time of the cluster. */
export type TailStart = { readonly resumeToken: ResumeToken } | { readonly clusterTime: Timestamp };

/** The next inserts in their order, possibly none; `resumeToken` lies after the last of them. */
export interface TailBatch {
  readonly pointers: readonly Pointer[];
  readonly resumeToken: ResumeToken;
}

/** An open change stream. */
export interface OutboxTail {
  /** Waits up to half a second for inserts. @throws Fault `history-lost` if the stream cannot go on from where it is. */
  readonly next: () => Promise<TailBatch>;
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
export function tailOutbox(outbox: Collection<Document>, start: TailStart): OutboxTail {
  const from =
    'resumeToken' in start ? { resumeAfter: start.resumeToken } : { startAtOperationTime: start.clusterTime };
  const [inserts, options] = outboxInserts();
  const stream = outbox.watch<Document, InsertedPointer>(inserts, { ...options, ...from });
  let reading: Promise<InsertedPointer | null> | undefined;

  const readOne = async (lingering: Promise<'nothing yet'> | undefined) => {
    if (reading === undefined) {
      reading = stream.tryNext();
      // Whoever awaits it next sees the error; until then it must not count as unhandled.
      reading.catch(() => undefined);
    }
    const one = lingering === undefined ? await reading : await Promise.race([reading, lingering]);
    if (one !== 'nothing yet') reading = undefined;
    return one;
  };

  const next = async (): Promise<TailBatch> => {
    const pointers: Pointer[] = [];
    let token: ResumeToken | undefined;
    let lingering: Promise<'nothing yet'> | undefined;
    while (pointers.length < batchMaxPointers) {
      const insert = await readOne(lingering);
      lingering ??= linger();
      if (insert === 'nothing yet') break;
      if (insert === null) {
        // The post-batch token: it moves on also when nothing matched, so that a quiet outbox does not age out of the oplog.
        token = stream.resumeToken as ResumeToken;
        break;
      }
      if (insert.operationType !== 'insert') {
        throw new Fault('history-lost', `The outbox met a ${insert.operationType}: its change stream has ended.`);
      }
      pointers.push(toPointer(insert.fullDocument));
      token = insert._id;
    }
    return { pointers, resumeToken: token as ResumeToken };
  };

  return {
    next: () => next().catch((error: unknown) => Promise.reject(translateTailError(error))),
    close: () => stream.close(),
  };
}

/** The error codes that mean the stream cannot go on from its token: invalid token, history lost, fatal, and an event that is too large. */
const lostCodes: ReadonlySet<unknown> = new Set([260, 286, 280, 10334]);

function translateTailError(error: unknown): Fault {
  if (error instanceof Fault) return error;
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

function toPointer(event: Document): Pointer {
  return {
    eventId: String(event._id),
    aggregateType: String(event.aggregateType),
    aggregateId: String(event.aggregateId),
  };
}

function linger(): Promise<'nothing yet'> {
  return new Promise((resolve) => setTimeout(resolve, lingerMillis, 'nothing yet' as const));
}
