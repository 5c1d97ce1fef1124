/** A separate outbox for each benchmark, in a database that is dropped afterwards. */
import { randomBytes } from 'node:crypto';
import { type Collection, type Db, type Document, MongoClient } from 'mongodb';
import { outboxCollection } from '../lib/contract/outbox-event.ts';
import { inChunks } from '../lib/runtime/in-chunks.ts';
import { setUpOutbox } from '../lib/set-up/mongodb-outbox.ts';
import { shareOutboxId } from '../test/support/outbox-id.ts';
import type { ServerAddresses } from '../tools/local/servers.ts';
import { waitUntil } from '../tools/local/wait-until.ts';
import { SymbolGraph, symbolRows } from './symbols.ts';

const insertChunk = 5_000;

/** The databases that a benchmark runs on. */
export type BenchDatabases = Pick<ServerAddresses, 'mongodbUri' | 'neo4jUri' | 'neo4jUsername' | 'neo4jPassword'>;

export class BenchOutbox {
  /** The environment of the functions. */
  readonly environment: Readonly<Record<string, string>>;
  readonly graph = new SymbolGraph();
  readonly client: MongoClient;
  readonly db: Db;
  readonly outbox: Collection<Document>;

  private constructor(servers: BenchDatabases) {
    this.environment = {
      MONGODB_URI: servers.mongodbUri,
      MONGODB_DATABASE: `outgraph_bench_${randomBytes(4).toString('hex')}`,
      NEO4J_URI: servers.neo4jUri,
      NEO4J_USERNAME: servers.neo4jUsername ?? '',
      NEO4J_PASSWORD: servers.neo4jPassword ?? '',
      NEO4J_DATABASE: 'neo4j',
    };
    this.client = new MongoClient(servers.mongodbUri);
    this.db = this.client.db(this.environment.MONGODB_DATABASE);
    this.outbox = this.db.collection(outboxCollection);
  }

  /** Sets an outbox up, runs the benchmark on it, and drops it. */
  static async with<Result>(servers: BenchDatabases, run: (outbox: BenchOutbox) => Promise<Result>): Promise<Result> {
    const bench = new BenchOutbox(servers);
    try {
      await shareOutboxId(bench.db);
      await setUpOutbox(bench.db, { processedRetentionSeconds: 7 * 86_400 });
      return await run(bench);
    } finally {
      await bench.db.dropDatabase();
      await bench.client.close();
    }
  }

  /** Inserts events of `count` new symbols, and returns their ids. */
  async write(group: string, count: number): Promise<readonly string[]> {
    const events = symbolRows(group, count).map((row) => this.graph.event(row));
    for (const chunk of inChunks(events, insertChunk)) await this.outbox.insertMany([...chunk]);
    return events.map(({ _id }) => _id.toHexString());
  }

  async untilSettled(timeoutSeconds = 300): Promise<void> {
    await waitUntil(
      async () => (await this.outbox.countDocuments({ status: 'pending' }, { limit: 1 })) === 0 || undefined,
      {
        timeoutSeconds,
        pollMillis: 20,
        what: 'every event to be settled',
      },
    );
  }
}
