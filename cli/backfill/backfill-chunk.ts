/**
 * One part of a backfill: the states of documents that were read, applied to the graph under a position that loses
 * against every event they do not contain. What the graph does not take as it is goes through the outbox, where it is
 * retried, or becomes dead with its reason, where everybody sees it.
 */

import { Fault } from '../../lib/contract/fault.ts';
import { aggregateKey, isAggregateId } from '../../lib/contract/outbox-event.ts';
import type { Position } from '../../lib/contract/position.ts';
import type { AggregateState } from '../../lib/graph/aggregate-state.ts';
import type { BatchResults } from '../../lib/graph/apply-batch.ts';
import { inChunks } from '../../lib/runtime/in-chunks.ts';
import { type CapacityPorts, recordedAtOnce, waitForCapacity } from '../throttle/capacity.ts';
import type { DocumentState } from '../verify/ports.ts';
import { guardPosition } from './guard-position.ts';
import type { RecordedPart } from './record-all.ts';
import { type RetryPorts, retryWhileUnavailable } from './retry-while-unavailable.ts';

/** Documents, with what they contain at least. */
export interface DocumentsRead<Id> {
  readonly documents: readonly DocumentState<Id>[];
  /** Every transaction that was committed up to this time, by the cluster's clock. */
  readonly committedUntil: Position;
  /** When the read was begun, by the clock of this process. */
  readonly readAtMillis: number;
}

export interface ChunkPorts<Id> extends Omit<CapacityPorts, 'log'>, Omit<RetryPorts, 'log'> {
  /** Those of the documents that are still there. */
  readonly readAgain: (ids: readonly Id[]) => Promise<DocumentsRead<Id>>;
  /** Applies states of different aggregates, and fills in the results as transactions commit. */
  readonly applyBatch: (states: readonly AggregateState[], results: BatchResults) => Promise<void>;
  /** In one transaction. */
  readonly recordCurrentStates: (ids: readonly Id[]) => Promise<RecordedPart<Id>>;
  /** By the clock on the wall: a process that was halted must notice. */
  readonly nowMillis: () => number;
  readonly log: CapacityPorts['log'] &
    RetryPorts['log'] & {
      readonly unrecordable: (id: Id, reason: string) => void;
    };
}

export interface ChunkOptions {
  readonly aggregateType: string;
  /** A writer takes no longer for a transaction. */
  readonly transactionSeconds: number;
  readonly maxPending: number;
}

/** What became of the documents. One that was deleted in the meantime is in none of the counts. */
export interface ChunkReport {
  readonly applied: number;
  /** The graph had this state, or a newer one. */
  readonly superseded: number;
  /** Recorded as events, because the graph did not take them. */
  readonly throughOutbox: number;
  /** Of those, the ones that cannot be projected, and will be dead. */
  readonly unprojectable: number;
  /** No event can be made of them either. */
  readonly unrecordable: number;
}

/**
 * Older states are read again: far below the 15 days that a deletion is remembered at least, and far above what an
 * apply takes.
 */
const maxAgeMillis = 10 * 60_000;

/** Brings the documents over; null: interrupted before it was done. @throws Fault that does not pass. */
export async function backfillChunk<Id>(
  read: DocumentsRead<Id>,
  ports: ChunkPorts<Id>,
  options: ChunkOptions,
): Promise<ChunkReport | null> {
  const results: BatchResults = new Map();
  let current = read;
  let states = statesOf(read, options);
  await retryWhileUnavailable(ports, async () => {
    if (ports.nowMillis() - current.readAtMillis > maxAgeMillis) {
      current = await ports.readAgain(current.documents.map(({ id }) => id));
      states = statesOf(current, options);
    }
    const left = [...states.values()].map(({ state }) => state).filter(({ key }) => !results.has(key));
    await ports.applyBatch(left, results);
  });
  const taken = new Set<Id>();
  const counts = { applied: 0, superseded: 0 };
  for (const { id, state } of states.values()) {
    const outcome = results.get(state.key)?.outcome;
    if (outcome !== 'applied' && outcome !== 'superseded') continue;
    taken.add(id);
    counts[outcome] += 1;
  }
  const others = current.documents.map(({ id }) => id).filter((id) => !taken.has(id));
  const recorded = await recordOthers(others, ports, options);
  return recorded === null ? null : { ...counts, ...recorded };
}

/** What can go straight to the graph, by key. Of two documents that mean the same aggregate, the first. */
function statesOf<Id>(
  { documents, committedUntil }: DocumentsRead<Id>,
  { aggregateType, transactionSeconds }: ChunkOptions,
): ReadonlyMap<string, { readonly id: Id; readonly state: AggregateState }> {
  const position = guardPosition(committedUntil, transactionSeconds);
  const states = new Map<string, { readonly id: Id; readonly state: AggregateState }>();
  for (const { id, aggregateId, subgraph } of documents) {
    if (!isAggregateId(aggregateId) || subgraph instanceof Fault) continue;
    const key = aggregateKey({ aggregateType, aggregateId });
    if (!states.has(key)) states.set(key, { id, state: { key, position, subgraph } });
  }
  return states;
}

async function recordOthers<Id>(
  ids: readonly Id[],
  ports: ChunkPorts<Id>,
  { maxPending }: ChunkOptions,
): Promise<Pick<ChunkReport, 'throughOutbox' | 'unprojectable' | 'unrecordable'> | null> {
  const sum = { throughOutbox: 0, unprojectable: 0, unrecordable: 0 };
  for (const some of inChunks(ids, recordedAtOnce)) {
    if (!(await retryWhileUnavailable(ports, () => waitForCapacity(ports, maxPending)))) return null;
    const part = await retryWhileUnavailable(ports, () => ports.recordCurrentStates(some));
    for (const { id, reason } of part.unrecordable) ports.log.unrecordable(id, reason);
    sum.throughOutbox += part.recorded;
    sum.unprojectable += part.unprojectable;
    sum.unrecordable += part.unrecordable.length;
  }
  return sum;
}
