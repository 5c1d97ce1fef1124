/** Finds aggregates with pending or dead events in the outbox: their tombstones must stay. */
import type { Collection, Document } from 'mongodb';
import { type RegistryKeys, withoutSource } from '../contract/registry-keys.ts';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';

/**
 * Returns those of the named aggregates of the source `keys` that have a pending or dead event, each once.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function unsettledAggregates(
  outbox: Collection<Document>,
  aggregateKeys: readonly string[],
  keys: RegistryKeys = withoutSource,
): Promise<ReadonlySet<string>> {
  const byType = Map.groupBy(
    aggregateKeys.map((key) => keys.split(key)),
    (aggregate) => aggregate.aggregateType,
  );
  const found = new Set<string>();
  for (const [aggregateType, members] of byType) {
    const filter = {
      aggregateType,
      aggregateId: { $in: members.map((member) => member.aggregateId) },
      status: { $in: ['pending', 'dead'] },
    };
    const rows = await withMongodbFaults(() =>
      outbox
        .aggregate<{ _id: string }>([{ $match: filter }, { $group: { _id: '$aggregateId' } }], {
          readConcern: { level: 'majority' },
          hint: 'outgraph_unsettled',
        })
        .toArray(),
    );
    for (const { _id } of rows) found.add(keys.of({ aggregateType, aggregateId: _id }));
  }
  return found;
}
