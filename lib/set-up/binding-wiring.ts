/** Checks that outbox and graph belong together, before a part reads or writes the graph. */

import type { Db } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import { Fault } from '../contract/fault.ts';
import { type RegistryKeys, withoutSource } from '../contract/registry-keys.ts';
import { clockBehind, createClock } from '../outbox/mongodb-clock.ts';
import { withinTime } from '../runtime/within-time.ts';
import { readOutboxId } from './mongodb-identity.ts';
import { readBinding, requireOwnGraph } from './neo4j-binding.ts';

/**
 * Refuses a graph that belongs to another outbox, or that has later positions than this cluster can
 * have assigned. With a source, only this source of the graph counts.
 *
 * @throws Fault `set-up-missing`, `graph-of-another-outbox` or `clock-behind-graph`;
 * `configuration-invalid` if the outbox has another source; `mongodb-unavailable`,
 * `neo4j-unavailable`.
 */
export async function checkBinding(
  db: Db,
  driver: Driver,
  database: string,
  keys: RegistryKeys = withoutSource,
): Promise<void> {
  const outboxId = await readOutboxId(db, keys.source);
  const binding = await readBinding(driver, database, keys);
  requireOwnGraph(binding, outboxId, keys);
  const { newestCanary } = binding;
  if (newestCanary === null) return;
  const latest = await createClock(db)(newestCanary);
  if (newestCanary > latest) throw clockBehind(newestCanary, latest);
}

/** A graph that does not answer within this time counts as unavailable. */
const answerMillis = 3_000;

/**
 * As {@link checkBinding}, for a part that can start while the graph is unavailable and checks
 * again before using it.
 */
export async function checkBindingIfReachable(
  db: Db,
  driver: Driver,
  database: string,
  keys: RegistryKeys,
): Promise<void> {
  try {
    await withinTime('Neo4j', answerMillis, () => checkBinding(db, driver, database, keys));
  } catch (error) {
    if (!(error instanceof Fault) || !['time-up', 'neo4j-unavailable'].includes(error.code)) throw error;
  }
}
