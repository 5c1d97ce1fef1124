/**
 * The MongoDB cluster's time. Positions come from it, so a position ahead of it is never trusted.
 */
import type { Collection, Db, Document, MongoClient } from 'mongodb';
import { Fault } from '../contract/fault.ts';
import { fromPosition, type Position, positionTime, toPosition } from '../contract/position.ts';
import { identityCollection } from './collections.ts';
import { withMongodbFaults } from './mongodb-errors.ts';

/** Returns the time of the newest cluster operation that this client knows of. */
export async function readClusterTime(client: MongoClient, outbox: Collection<Document>): Promise<Position> {
  return client.withSession({ causalConsistency: true }, (session) =>
    withMongodbFaults(async () => {
      await outbox.findOne({}, { session, projection: { _id: 1 } });
      const time = session.operationTime;
      if (time === undefined)
        throw new Error('MongoDB returned no operation time: outgraph needs a replica set or a sharded cluster.');
      return toPosition(time);
    }),
  );
}

/** A shard without writes records the cluster's time every ten seconds. */
const idleSeconds = 10;

/**
 * Creates a clock of the cluster that holds this database. It returns the latest position that the
 * cluster can have assigned so far. It queries the cluster only if the given position is later than
 * the last result.
 */
export function createClock(db: Db): (position: Position) => Promise<Position> {
  let latest = toPosition({ t: 0, i: 0 });
  return async (position) => {
    if (position > latest) {
      const { t } = fromPosition(await readClusterTime(db.client, db.collection(identityCollection)));
      latest = toPosition({ t: t + idleSeconds, i: 0 });
    }
    return latest;
  };
}

/**
 * Returns the fault of a graph whose position is later than any that the cluster can have assigned.
 */
export function clockBehind(position: Position, latest: Position): Fault {
  return new Fault(
    'clock-behind-graph',
    `The graph has an event of ${positionTime(position).toISOString()}, but the MongoDB cluster's time is ` +
      `at most ${positionTime(latest).toISOString()}: another cluster assigned that position, and new events ` +
      'would look older than the graph. Events stay pending until you adopt the graph ' +
      '(npx outgraph set-up --adopt); first read docs/runbook.md, clock-behind-graph.',
  );
}
