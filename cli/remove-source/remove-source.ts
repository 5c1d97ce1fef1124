/**
 * Removes from the graph what one outbox brought, and its binding. Aggregates are deleted as their
 * deletions would: what others share stays, and an end of another aggregate's relationship becomes
 * a placeholder. The documents and the outbox stay as they are.
 */
import { Fault } from '../../lib/contract/fault.ts';
import { fromPosition, toPosition } from '../../lib/contract/position.ts';
import type { AggregateState } from '../../lib/graph/aggregate-state.ts';
import type { BatchResults } from '../../lib/graph/apply-batch.ts';
import { listWithManifests } from '../../lib/graph/neo4j-list-aggregates.ts';
import { joinGraph } from '../../lib/graph/wiring.ts';
import { unbindGraph } from '../../lib/set-up/neo4j-binding.ts';
import { type Databases, paceOf, type Running } from '../databases.ts';
import { countAggregates, removeEntries } from './neo4j-remove-entries.ts';

export interface RemovalReport {
  /** `written`: a consumer applied events in the meantime. The binding stays. */
  readonly outcome: 'done' | 'interrupted' | 'written';
  readonly removed: number;
}

/** Few enough for one transaction: an aggregate has up to 10,000 elements. */
const aggregatesAtOnce = 100;

/**
 * Removes them, in pages. Run it again after a failure.
 *
 * @throws Fault `neo4j-unavailable`, or why an aggregate cannot be deleted.
 */
export async function removeSource(
  { driver, database, keys }: Omit<Databases, 'db'>,
  running: Running,
): Promise<RemovalReport> {
  const { applyBatch } = joinGraph(driver, database);
  const pace = paceOf(running);
  let removed = 0;
  for (let { after } = keys.range; ; ) {
    if (running.signal.aborted) return { outcome: 'interrupted', removed };
    const page = await listWithManifests(driver, database, { ...keys.range, after }, aggregatesAtOnce);
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.key;
    const results: BatchResults = new Map();
    const deletions = page.map(({ key, position }): AggregateState => {
      const { t, i } = fromPosition(position);
      return { key, position: toPosition({ t, i: i + 1 }), subgraph: null };
    });
    await applyBatch(deletions, results);
    for (const result of results.values()) {
      if (result.outcome === 'failed') throw result.fault;
      if (result.outcome === 'refused') throw new Fault(result.code, result.message);
      if (result.outcome === 'applied') removed += 1;
    }
    running.progress(removed);
    await pace(page.length);
  }
  if ((await countAggregates(driver, database, keys)) > 0) return { outcome: 'written', removed };
  await removeEntries(driver, database, keys);
  await unbindGraph(driver, database, keys);
  return { outcome: 'done', removed };
}
