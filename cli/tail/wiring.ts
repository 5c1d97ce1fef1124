/** Joins the following of the outbox to a database. */
import type { Db } from 'mongodb';
import { Fault } from '../../lib/contract/fault.ts';
import { fromPosition, toPosition } from '../../lib/contract/position.ts';
import { readClusterTime } from '../../lib/outbox/mongodb-clock.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import type { ResumeToken } from '../../lib/publisher/mongodb-lease.ts';
import { sleepUnless } from '../databases.ts';
import { type FollowLog, follow } from './follow.ts';
import { type ChangeSelection, followOutbox } from './mongodb-follow-outbox.ts';
import type { OutboxChange } from './outbox-change.ts';

export interface TailOptions extends ChangeSelection {
  /** From so many seconds ago; 0: from now on. */
  readonly sinceSeconds: number;
}

/**
 * Tells every change that is meant until the signal is aborted.
 *
 * @throws Fault `history-lost` where the server remembers less; `mongodb-unavailable` at the beginning.
 */
export async function tail(
  db: Db,
  { sinceSeconds, ...selection }: TailOptions,
  {
    signal,
    tell,
    log,
  }: { readonly signal: AbortSignal; readonly tell: (change: OutboxChange) => void; readonly log: FollowLog },
): Promise<void> {
  const outbox = outboxOf(db);
  const readNow = () => readClusterTime(db.client, outbox);
  const { t, i } = fromPosition(await readNow());
  const follower = follow<OutboxChange, ResumeToken>(
    {
      open: (start) => followOutbox(outbox, start, selection),
      readClusterTime: readNow,
      tell,
      log,
      sleep: (millis) => sleepUnless(signal, millis),
      isInterrupted: () => signal.aborted,
    },
    { after: toPosition({ t: Math.max(0, t - sinceSeconds), i }) },
  );
  await follower.catch((error: unknown) => Promise.reject(explainStart(error, sinceSeconds)));
}

/** What the fault of a first read means to whoever asked for the past. */
export function explainStart(error: unknown, sinceSeconds: number): unknown {
  if (!(error instanceof Fault) || error.code !== 'history-lost') return error;
  const reason = `MongoDB does not remember what happened ${sinceSeconds} seconds ago: its oplog begins later.`;
  return new Fault('history-lost', reason, { cause: error });
}
