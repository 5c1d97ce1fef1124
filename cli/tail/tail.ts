/** Follows the outbox of a database. */
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
  /** Start this many seconds ago; 0: now. */
  readonly sinceSeconds: number;
}

/**
 * Reports every selected change until the signal is aborted.
 *
 * @throws Fault `history-lost` if the oplog does not reach back far enough; `mongodb-unavailable`
 * at the start.
 */
export async function tail(
  db: Db,
  { sinceSeconds, ...selection }: TailOptions,
  {
    signal,
    report,
    log,
  }: { readonly signal: AbortSignal; readonly report: (change: OutboxChange) => void; readonly log: FollowLog },
): Promise<void> {
  const outbox = outboxOf(db);
  const readNow = () => readClusterTime(db.client, outbox);
  const { t, i } = fromPosition(await readNow());
  const follower = follow<OutboxChange, ResumeToken>(
    {
      open: (start) => followOutbox(outbox, start, selection),
      readClusterTime: readNow,
      report,
      log,
      sleep: (millis) => sleepUnless(signal, millis),
      isInterrupted: () => signal.aborted,
    },
    { after: toPosition({ t: Math.max(0, t - sinceSeconds), i }) },
  );
  await follower.catch((error: unknown) => Promise.reject(explainStart(error, sinceSeconds)));
}

/** Rewords the fault of the first read for a user of `--since`. */
export function explainStart(error: unknown, sinceSeconds: number): unknown {
  if (!(error instanceof Fault) || error.code !== 'history-lost') return error;
  const reason = `MongoDB's oplog does not reach back ${sinceSeconds} seconds: use a smaller --since.`;
  return new Fault('history-lost', reason, { cause: error });
}
