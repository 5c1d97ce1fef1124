/**
 * Changes settled events one chunk at a time. Dead events become pending again (redrive) or leave
 * the outbox (discard). Processed events that a restored graph lacks become pending again (`redrive
 * --since`). A changed event is not found again, so you can run an interrupted command again to
 * continue.
 */
import type { Pace } from './pace.ts';

export interface ChangePorts {
  /** Ids of events that have not been changed yet. */
  readonly find: (limit: number) => Promise<readonly string[]>;
  /** Changes all or some of them. Returns how many. */
  readonly change: (eventIds: readonly string[]) => Promise<number>;
  readonly pace: Pace;
  readonly isInterrupted: () => boolean;
  readonly progress: (changed: number) => void;
}

export interface ChangeReport {
  readonly outcome: 'done' | 'interrupted';
  readonly changed: number;
}

/**
 * Changes every event that `find` returns.
 *
 * @throws Fault `mongodb-unavailable`; changed events stay changed.
 */
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
