/** Which aggregates the outbox still holds pending or dead events of: their tombstones must stay. */
import type { Collection, Document } from 'mongodb';
import { aggregateKey, splitAggregateKey } from '../contract/outbox-event.ts';
import { withMongodbFaults } from './translate-error.ts';

/**
 * Those of the named aggregates (`type:id`) that have a pending or dead event.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function unsettledAggregates(
  outbox: Collection<Document>,
  aggregateKeys: readonly string[],
): Promise<ReadonlySet<string>> {
  if (aggregateKeys.length === 0) return new Set();
  const byType = Map.groupBy(aggregateKeys.map(splitAggregateKey), (aggregate) => aggregate.aggregateType);
  const found = new Set<string>();
  for (const [aggregateType, members] of byType) {
    const filter = {
      aggregateType,
      aggregateId: { $in: members.map((member) => member.aggregateId) },
      status: { $in: ['pending', 'dead'] },
    };
    const projection = { _id: 0, aggregateType: 1, aggregateId: 1 };
    const rows = await withMongodbFaults(() =>
      outbox.find(filter, { projection, readConcern: { level: 'majority' } }).toArray(),
    );
    for (const row of rows) found.add(aggregateKey(row as unknown as { aggregateType: string; aggregateId: string }));
  }
  return found;
}
