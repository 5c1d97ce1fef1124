/** Events go all the way from MongoDB to Neo4j: one, many, large, and one after a pause. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from 'mongodb';
import pMap from 'p-map';
import { keysIn, withGraph, withOutbox } from '../../cli/databases.ts';
import { verifyGraph } from '../../cli/verify/wiring.ts';
import type { ProjectedSubgraph } from '../../lib/contract/subgraph.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { graph } from '../../lib/projection/graph.ts';
import { inChunks } from '../../lib/runtime/in-chunks.ts';
import { percentile } from '../../lib/runtime/percentile.ts';
import { trackCollection } from '../../lib/writer/tracked-collection.ts';
import { StackError } from '../local/stack-error.ts';
import { type Check, until } from './check.ts';
import type { SmokeStage, Wave } from './stage.ts';

/** The label of the nodes that the checks write, of the aggregate type `graph`. */
const label = 'OutgraphSmoke';
type SmokeDocument = ProjectedSubgraph & { readonly _id: string };

const appliedSeconds = 300;
/** On an existing stage, other writers may be in a transaction. */
const transactionSeconds = 120;

export const waveText = ({ count, megabytes }: Wave): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? 'event' : 'events'}${megabytes > 0 ? ` of ${megabytes} MB` : ''}`;

export function eventChecks(waves: readonly Wave[]): readonly Check[] {
  return [
    ...waves.map(
      (wave, number): Check => ({
        name: `${waveText(wave)} reach${wave.count === 1 ? 'es' : ''} the graph`,
        phase: 'stage',
        run: (stage, signal) => sendWave(stage, `${number}`, wave, signal),
      }),
    ),
    { name: 'The graph matches the documents', phase: 'stage', run: verify },
  ];
}

export const eventAfterPause: Check = {
  name: 'An event reaches the graph after an idle pause',
  phase: 'stage',
  run: async (stage, signal) => {
    await sleep(stage.idleSeconds * 1_000, undefined, { signal });
    return `${stage.idleSeconds} s idle; ${await sendWave(stage, 'idle', { count: 1, megabytes: 0 }, signal)}`;
  },
};

export const deleteDocuments: Check = {
  name: 'Deleted documents leave the graph',
  phase: 'stage',
  run: (stage, signal) =>
    withOutbox(stage.databases, async (db) => {
      const { deletedCount } = await trackCollection<ProjectedSubgraph, SmokeDocument>(db.client, db, graph).deleteMany(
        {
          _id: { $regex: `^${stage.run}-` },
        },
      );
      await untilApplied(db, `${stage.run}-`, stage, signal);
      const left = await withGraph(db, stage.databases, async (driver) => {
        const { NEO4J_DATABASE: database } = stage.databases;
        const query = `MATCH (n:${label}) WHERE n.id STARTS WITH $run RETURN count(n) AS count`;
        const { records } = await driver.executeQuery(query, { run: stage.run }, { database });
        return Number(records[0]?.get('count'));
      });
      if (left > 0) throw new StackError(`${left} nodes ${label} are left. Run: outgraph verify graph --repair`);
      return `${deletedCount} deleted`;
    }),
};

/** Writes the documents in transactions, and returns the lags of their events. */
async function sendWave(stage: SmokeStage, wave: string, { count, megabytes }: Wave, signal: AbortSignal) {
  const prefix = `${stage.run}-${wave}-`;
  const text = 'x'.repeat(megabytes * 1_000_000);
  const documents = Array.from({ length: count }, (_, number) => {
    const id = `${prefix}${number}`;
    return { _id: id, nodes: [{ label, key: { id }, properties: { number, text } }], relationships: [] };
  });
  return withOutbox(stage.databases, async (db) => {
    const collection = trackCollection<ProjectedSubgraph, SmokeDocument>(db.client, db, graph);
    const chunks = [...inChunks(documents, megabytes > 0 ? 1 : 100)];
    await pMap(chunks, (chunk) => collection.insertMany([...chunk]), { concurrency: 4, signal });
    await untilApplied(db, prefix, stage, signal);
    return lagText(db, prefix);
  });
}

const ofPrefix = (prefix: string) => ({ aggregateType: graph.type, aggregateId: { $regex: `^${prefix}` } });

async function untilApplied(db: Db, prefix: string, stage: SmokeStage, signal: AbortSignal): Promise<void> {
  await until(
    async () => {
      const dead = await outboxOf(db).findOne({ ...ofPrefix(prefix), status: 'dead' }, { projection: { error: 1 } });
      if (dead !== null)
        throw new StackError(
          `An event is dead with ${dead.error?.code}: ${dead.error?.message} Run: outgraph dead show ${dead._id}`,
        );
      return (await outboxOf(db).countDocuments({ ...ofPrefix(prefix), status: 'pending' })) === 0 || undefined;
    },
    {
      seconds: appliedSeconds,
      what: 'the events to be applied',
      advice: `Look at the alarms of ${stage.name}, and at the logs of its publisher and its consumer.`,
    },
    signal,
  );
}

/** From the writer's clock to the acknowledgement. */
async function lagText(db: Db, prefix: string): Promise<string> {
  const events = await outboxOf(db)
    .find(ofPrefix(prefix), { projection: { createdAt: 1, processedAt: 1 } })
    .toArray();
  const lags = events
    .map(({ createdAt, processedAt }) => Number(processedAt) - Number(createdAt))
    .sort((a, b) => a - b);
  const [p50, p99, most] = [0.5, 0.99, 1].map((share) => percentile(lags, share)?.toLocaleString('en-US'));
  return lags.length === 1 ? `lag ${most} ms` : `lags: p50 ${p50} ms, p99 ${p99} ms, max ${most} ms`;
}

async function verify(stage: SmokeStage, signal: AbortSignal): Promise<string> {
  const { databases, existing } = stage;
  const first: string[] = [];
  const report = await withOutbox(databases, (db) =>
    withGraph(db, databases, (driver) =>
      verifyGraph(
        { db, driver, database: databases.NEO4J_DATABASE, keys: keysIn(databases) },
        [graph],
        { selection: null, quick: false, transactionSeconds: existing ? transactionSeconds : 0 },
        {
          signal,
          progress: () => undefined,
          onDifference: ({ difference: { kind, aggregate, element, reason } }) => {
            if (first.length < 5) first.push(`${kind} ${aggregate ?? ''} ${element ?? ''}: ${reason}`);
          },
        },
      ),
    ),
  );
  const sent = stage.waves.reduce((sum, { count }) => sum + count, 0);
  if (report.outcome === 'equal' && report.documents >= sent) return `${report.documents} documents compared`;
  throw new StackError(
    [`The graph does not match ${report.documents} documents. Run: outgraph verify`, ...first].join('\n'),
  );
}
