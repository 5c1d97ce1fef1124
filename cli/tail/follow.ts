/**
 * Reports changes in the outbox, across elections and outages, and reports when changes were
 * missed.
 */
import { Fault } from '../../lib/contract/fault.ts';
import type { Position } from '../../lib/contract/position.ts';
import type { TailStart } from '../../lib/publisher/progress.ts';

/** An open stream. */
interface Follower<Change, Token> {
  /** Waits for about half a second. Null if nothing happened. */
  readonly next: () => Promise<Change | null>;
  readonly token: () => Token | null;
  readonly close: () => Promise<void>;
}

export interface FollowPorts<Change, Token> {
  readonly open: (start: TailStart<Token>) => Follower<Change, Token>;
  readonly readClusterTime: () => Promise<Position>;
  readonly report: (change: Change) => void;
  readonly log: FollowLog;
  readonly sleep: (millis: number) => Promise<void>;
  readonly isInterrupted: () => boolean;
}

export interface FollowLog {
  /** Called once for each outage. */
  readonly unavailable: (reason: string) => void;
  readonly recovered: () => void;
  /** Changes since the last reported one can no longer be read. */
  readonly missed: (reason: string) => void;
}

const retryMillis = 1_000;

/**
 * Follows the stream until it is interrupted. An error before the first answer ends it, because the
 * request is then wrong.
 *
 * @throws Fault of the first read. Later, only a fault that is not transient.
 */
export async function follow<Change, Token>(ports: FollowPorts<Change, Token>, from: TailStart<Token>): Promise<void> {
  let start = from;
  let hasStarted = false;
  let isUnavailable = false;
  let follower = ports.open(start);
  try {
    while (!ports.isInterrupted()) {
      try {
        const change = await follower.next();
        hasStarted = true;
        if (isUnavailable) ports.log.recovered();
        isUnavailable = false;
        if (change !== null) ports.report(change);
        const token = follower.token();
        if (token !== null) start = { resumeToken: token };
      } catch (error) {
        if (!hasStarted || !(error instanceof Fault) || !canContinue(error)) throw error;
        await follower.close();
        if (isLost(error)) {
          ports.log.missed(error.message);
          start = { after: await ports.readClusterTime() };
        } else {
          if (!isUnavailable) ports.log.unavailable(error.message);
          isUnavailable = true;
          await ports.sleep(retryMillis);
        }
        follower = ports.open(start);
      }
    }
  } finally {
    await follower.close();
  }
}

function isLost({ code }: Fault): boolean {
  return code === 'history-lost' || code === 'change-event-too-large';
}

function canContinue(fault: Fault): boolean {
  return isLost(fault) || fault.code === 'mongodb-unavailable';
}
