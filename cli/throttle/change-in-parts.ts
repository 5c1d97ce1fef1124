/**
 * Changes settled events a part at a time: dead ones whose reason was mended become pending again (redrive), or leave
 * the outbox (discard); processed ones that a restored graph does not know become pending again (replay). What was
 * changed is not found again, so that one that was ended and is run again goes on where it was.
 */
import type { Pace } from './pace.ts';

export interface ChangePorts {
  /** Ids of events that are still to be changed. */
  readonly find: (limit: number) => Promise<readonly string[]>;
  /** Changes them, or some of them, and returns how many. */
  readonly change: (eventIds: readonly string[]) => Promise<number>;
  readonly pace: Pace;
  readonly isInterrupted: () => boolean;
  readonly progress: (changed: number) => void;
}

export interface ChangeReport {
  readonly outcome: 'done' | 'interrupted';
  readonly changed: number;
}

/** Changes all that are found. @throws Fault `mongodb-unavailable`; what was changed stays changed. */
export async function changeInParts(ports: ChangePorts, partEvents: number): Promise<ChangeReport> {
  let changed = 0;
  while (!ports.isInterrupted()) {
    const eventIds = await ports.find(partEvents);
    if (eventIds.length === 0) return { outcome: 'done', changed };
    changed += await ports.change(eventIds);
    ports.progress(changed);
    await ports.pace(eventIds.length);
  }
  return { outcome: 'interrupted', changed };
}
