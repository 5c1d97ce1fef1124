/**
 * Changes settled events a chunk at a time: dead events become pending again (redrive) or leave the outbox (discard);
 * processed events that a restored graph lacks become pending again (`redrive --since`). A changed event is not found
 * again, so an interrupted run continues when you run it again.
 */
import type { Pace } from './pace.ts';

export interface ChangePorts {
  /** Ids of events that are still to be changed. */
  readonly find: (limit: number) => Promise<readonly string[]>;
  /** Changes all or some of them, and returns how many. */
  readonly change: (eventIds: readonly string[]) => Promise<number>;
  readonly pace: Pace;
  readonly isInterrupted: () => boolean;
  readonly progress: (changed: number) => void;
}

export interface ChangeReport {
  readonly outcome: 'done' | 'interrupted';
  readonly changed: number;
}

/** Changes every event that `find` returns. @throws Fault `mongodb-unavailable`; changed events stay changed. */
export async function changeInChunks(ports: ChangePorts, chunkEvents: number): Promise<ChangeReport> {
  let changed = 0;
  while (!ports.isInterrupted()) {
    const eventIds = await ports.find(chunkEvents);
    if (eventIds.length === 0) return { outcome: 'done', changed };
    changed += await ports.change(eventIds);
    ports.progress(changed);
    await ports.pace(eventIds.length);
  }
  return { outcome: 'interrupted', changed };
}
