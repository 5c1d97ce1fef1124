/**
 * Waits until events are applied. All waits of a process for one outbox share one query at a time.
 * Without a wait, there is no query.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Db, type MongoClient, MongoServerError, type ObjectId } from 'mongodb';
import { Fault, type FaultCode } from '../contract/fault.ts';
import { outboxCollection } from '../contract/outbox-event.ts';
import { inChunks } from '../runtime/in-chunks.ts';

/**
 * Options for waiting.
 *
 * @example
 * const options: SettledOptions = { timeoutMs: 2_000, signal: request.signal };
 */
export interface SettledOptions {
  /** Milliseconds to wait at most. Default: 10,000. */
  readonly timeoutMs?: number;
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * Resolves when every event, or a newer state of its aggregate, is in the graph. Call it after the
 * commit. The user needs the MongoDB role `await` besides the writer's (docs/explanation/security.md).
 *
 * @param eventIds the results of `recordEvent` or `recordEvents`.
 * @throws Fault with the event's own code if it is dead; `not-settled` when the time is up; and
 * `permission-denied` if the user may not read the outbox.
 * @example
 * const eventId = await client.withSession((session) =>
 *   session.withTransaction(() => recordEvent(session, db, person, change)),
 * );
 * await settled(db, [eventId], { timeoutMs: 2_000 });
 */
export async function settled(
  db: Db,
  eventIds: readonly ObjectId[],
  { timeoutMs = 10_000, signal }: SettledOptions = {},
): Promise<void> {
  if (eventIds.length === 0) return;
  signal?.throwIfAborted();
  const watch = watchOf(db);
  await new Promise<void>((resolve, reject) => {
    const open = new Map(eventIds.map((id) => [id.toHexString(), id]));
    const end = (settle: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      watch.remove(wait);
      settle();
    };
    const wait: Wait = {
      open,
      seen: new Set(),
      resolve: () => end(resolve),
      reject: (reason) => end(() => reject(reason)),
    };
    const timer = setTimeout(() => wait.reject(notSettled(wait, timeoutMs, watch.lastError)), timeoutMs);
    const abort = () => wait.reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    watch.add(wait);
  });
}

interface Wait {
  /** The events that are not settled yet, by their ids as text. */
  readonly open: Map<string, ObjectId>;
  /** Ids of events that were found: if one is missing later, it was applied and purged. */
  readonly seen: Set<string>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** An event is usually applied within some tens of milliseconds. */
const firstMillis = 10;
/** For events that take longer, so that an outage is not answered with a storm of queries. */
const laterMillis = 100;
const soonMillis = 1_000;
const idsAtOnce = 1_000;

/** Unauthorized. */
const permissionCode = 13;

/** The waits for one outbox. */
class Watch {
  readonly #db: Db;
  readonly #waits = new Map<Wait, number>();
  #isRunning = false;
  lastError: unknown;

  constructor(db: Db) {
    this.#db = db;
  }

  add(wait: Wait): void {
    this.#waits.set(wait, performance.now());
    if (!this.#isRunning) void this.#run();
  }

  remove(wait: Wait): void {
    this.#waits.delete(wait);
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waits.size > 0) {
      await this.#look();
      const youngest = Math.max(...this.#waits.values());
      await sleep(performance.now() - youngest < soonMillis ? firstMillis : laterMillis);
    }
    this.#isRunning = false;
  }

  async #look(): Promise<void> {
    const asked = [...this.#waits.keys()];
    const ids = new Map(asked.flatMap(({ open }) => [...open]));
    try {
      const states = new Map<string, EventState>();
      for (const chunk of inChunks([...ids.values()], idsAtOnce))
        for (const state of await readStates(this.#db, chunk)) states.set(state._id.toHexString(), state);
      for (const wait of asked) judge(wait, states);
      this.lastError = undefined;
    } catch (error) {
      this.lastError = error;
      // A server that is away may come back in time; a right does not.
      if (error instanceof MongoServerError && error.code === permissionCode)
        for (const { reject } of asked) reject(denied(error));
    }
  }
}

interface EventState {
  readonly _id: ObjectId;
  readonly status: string;
  readonly error?: { readonly code: FaultCode; readonly message: string };
}

async function readStates(db: Db, ids: readonly ObjectId[]): Promise<readonly EventState[]> {
  const options = {
    projection: { status: 1, 'error.code': 1, 'error.message': 1 },
    readPreference: 'primary',
    raw: false,
    promoteValues: true,
  } as const;
  return db
    .collection<EventState>(outboxCollection)
    .find({ _id: { $in: [...ids] } }, options)
    .toArray();
}

function judge({ open, seen, resolve, reject }: Wait, states: ReadonlyMap<string, EventState>): void {
  for (const id of open.keys()) {
    const state = states.get(id);
    if (state?.status === 'dead') {
      reject(dead(id, state));
      return;
    }
    if (state === undefined ? seen.has(id) : state.status === 'processed') open.delete(id);
    else if (state !== undefined) seen.add(id);
  }
  if (open.size === 0) resolve();
}

function dead(id: string, { error }: EventState): Fault {
  return new Fault(error?.code ?? 'unexpected', `The event ${id} is dead: ${error?.message ?? 'without a reason.'}`);
}

function denied(cause: unknown): Fault {
  const message =
    'MongoDB does not let this user read the outbox, which waiting for events needs. ' +
    'Grant it the role of the part "await" too (docs/explanation/security.md).';
  return new Fault('permission-denied', message, { cause });
}

function notSettled({ open, seen }: Wait, timeoutMs: number, cause: unknown): Fault {
  const unknown = [...open.keys()].filter((id) => !seen.has(id)).length;
  const why =
    cause !== undefined
      ? 'MongoDB did not answer.'
      : unknown > 0
        ? `${unknown} of them are not in the outbox: wait after the commit, and for events of this database.`
        : 'Is the consumer running?';
  return new Fault('not-settled', `${open.size} events were not applied within ${timeoutMs} ms. ${why}`, { cause });
}

/** By client and database. */
const watches = new WeakMap<MongoClient, Map<string, Watch>>();

function watchOf(db: Db): Watch {
  const ofClient = watches.get(db.client) ?? new Map<string, Watch>();
  watches.set(db.client, ofClient);
  const watch = ofClient.get(db.databaseName) ?? new Watch(db);
  ofClient.set(db.databaseName, watch);
  return watch;
}
