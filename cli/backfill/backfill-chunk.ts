/**
 * Applies a chunk of documents to the graph, at a position older than every event that they do not
 * contain. A state that the graph refuses goes through the outbox instead: it is retried there, or
 * becomes dead with its reason.
 */

import { Fault } from '../../lib/contract/fault.ts';
import { isAggregateId } from '../../lib/contract/outbox-event.ts';
import type { Position } from '../../lib/contract/position.ts';
import { type RegistryKeys, withoutSource } from '../../lib/contract/registry-keys.ts';
import type { AggregateState } from '../../lib/graph/aggregate-state.ts';
import type { BatchResults } from '../../lib/graph/apply-batch.ts';
import { inChunks } from '../../lib/runtime/in-chunks.ts';
import { type CapacityPorts, recordedAtOnce, waitForCapacity } from '../throttle/capacity.ts';
import type { DocumentState } from '../verify/ports.ts';
import { guardPosition } from './guard-position.ts';
import type { RecordedChunk } from './record-all.ts';
import { type RetryPorts, retryWhileUnavailable } from './retry-while-unavailable.ts';

export interface DocumentsRead<Id> {
  readonly documents: readonly DocumentState<Id>[];
  /** The documents contain every transaction committed up to this time, by the cluster's clock. */
  readonly committedUntil: Position;
  /** When the read started, by the clock of this process. */
  readonly readAtMillis: number;
}

export interface ChunkPorts<Id> extends Omit<CapacityPorts, 'log'>, Omit<RetryPorts, 'log'> {
  /** Returns the documents that still exist. */
  readonly readAgain: (ids: readonly Id[]) => Promise<DocumentsRead<Id>>;
  /** Applies states of different aggregates, and adds the results as transactions commit. */
  readonly applyBatch: (states: readonly AggregateState[], results: BatchResults) => Promise<void>;
  /** In one transaction. */
  readonly recordCurrentStates: (ids: readonly Id[]) => Promise<RecordedChunk<Id>>;
  /** Wall-clock time, so that a suspended process notices the gap. */
  readonly nowMillis: () => number;
  readonly log: CapacityPorts['log'] &
    RetryPorts['log'] & {
      readonly unrecordable: (id: Id, reason: string) => void;
    };
}

export interface ChunkOptions {
  readonly aggregateType: string;
  /** By default, those of an outbox without a source. */
  readonly keys?: RegistryKeys;
  /** The longest that a writer's transaction takes. */
  readonly transactionSeconds: number;
  readonly maxPending: number;
}

/** The outcome for a chunk. Does not count documents that were deleted in the meantime. */
export interface ChunkReport {
  readonly applied: number;
  /** The graph had this state or a newer one. */
  readonly superseded: number;
  /** Recorded as events, because the graph refused them or they cannot be projected. */
  readonly throughOutbox: number;
  /** Of these, the documents that cannot be projected. Their events will be dead. */
  readonly unprojectable: number;
  /** Documents that cannot be recorded as events. */
  readonly unrecordable: number;
}

/**
 * Older states are read again. This is far below the 15 days that tombstones are kept, and far
 * above the duration of an apply.
 */
const maxAgeMillis = 10 * 60_000;

/** Returns null if it was interrupted. @throws Fault that is not transient. */
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
    const remaining = [...states.values()].map(({ state }) => state).filter(({ key }) => !results.has(key));
    await ports.applyBatch(remaining, results);
  });
  const accepted = new Set<Id>();
  const counts = { applied: 0, superseded: 0 };
  for (const { id, state } of states.values()) {
    const outcome = results.get(state.key)?.outcome;
    if (outcome !== 'applied' && outcome !== 'superseded') continue;
    accepted.add(id);
    counts[outcome] += 1;
  }
  const others = current.documents.map(({ id }) => id).filter((id) => !accepted.has(id));
  const recorded = await recordOthers(others, ports, options);
  return recorded === null ? null : { ...counts, ...recorded };
}

/**
 * The states that can go straight to the graph, by key. If two documents have the same aggregate
 * id, the first one counts.
 */
function statesOf<Id>(
  { documents, committedUntil }: DocumentsRead<Id>,
  { aggregateType, keys = withoutSource, transactionSeconds }: ChunkOptions,
): ReadonlyMap<string, { readonly id: Id; readonly state: AggregateState }> {
  const position = guardPosition(committedUntil, transactionSeconds);
  const states = new Map<string, { readonly id: Id; readonly state: AggregateState }>();
  for (const { id, aggregateId, subgraph } of documents) {
    if (!isAggregateId(aggregateId) || subgraph instanceof Fault) continue;
    const key = keys.of({ aggregateType, aggregateId });
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
  for (const chunk of inChunks(ids, recordedAtOnce)) {
    if (!(await retryWhileUnavailable(ports, () => waitForCapacity(ports, maxPending)))) return null;
    const { recorded, unprojectable, unrecordable } = await retryWhileUnavailable(ports, () =>
      ports.recordCurrentStates(chunk),
    );
    for (const { id, reason } of unrecordable) ports.log.unrecordable(id, reason);
    sum.throughOutbox += recorded;
    sum.unprojectable += unprojectable;
    sum.unrecordable += unrecordable.length;
  }
  return sum;
}
