/** The time of the MongoDB cluster: positions come from it, and no part trusts one that it cannot have given yet. */
import type { Collection, Db, Document, MongoClient } from 'mongodb';
import { Fault } from '../contract/fault.ts';
import { fromPosition, type Position, positionTime, toPosition } from '../contract/position.ts';
import { identityCollection } from './collections.ts';
import { withMongodbFaults } from './mongodb-errors.ts';

/** The time of the cluster's newest operation that this client knows of. */
export async function readClusterTime(client: MongoClient, outbox: Collection<Document>): Promise<Position> {
  return client.withSession({ causalConsistency: true }, (session) =>
    withMongodbFaults(async () => {
      await outbox.findOne({}, { session, projection: { _id: 1 } });
      const time = session.operationTime;
      if (time === undefined)
        throw new Error('MongoDB told no operation time: outgraph needs a replica set or a sharded cluster.');
      return toPosition(time);
    }),
  );
}

/** A shard without writes notes the cluster's time every ten seconds. */
const idleSeconds = 10;

/**
 * A clock of the cluster that holds this database: returns the latest position that the cluster can
 * have given by now. It asks only where the position in question is later than the last answer.
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
 * The fault of a graph that knows this position, which is later than the latest one that the
 * cluster can have given.
 */
export function clockBehind(position: Position, latest: Position): Fault {
  return new Fault(
    'clock-behind-graph',
    `The graph knows an event of ${positionTime(position).toISOString()}, and the time of the MongoDB cluster is not past ${positionTime(latest).toISOString()}: new events would look older than what the graph has. Another cluster gave that position. Events stay pending until you adopt the graph (npx outgraph set-up --adopt); first read docs/runbook.md, clock-behind-graph.`,
  );
}
