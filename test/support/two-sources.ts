/** Two outboxes, each with its documents and a worker, that feed one graph. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { type Collection, type Db, type Document, MongoClient } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { RegistryKeys } from '../../lib/contract/registry-keys.ts';
import { type RunningOutgraph, startOutgraph as startWorker } from '../../lib/testing/wiring.ts';
import { trackCollection } from '../../lib/writer/tracked-collection.ts';
import { connectGraph } from './connect-graph.ts';
import { catalog, post } from './posts.ts';
import { type OutgraphRun, startOutgraph } from './run-outgraph.ts';
import { servers } from './servers.ts';
import { takeNeo4j } from './take-neo4j.ts';

/** The sweep publishes redriven events. */
const quick = { CONFLICT_MAX_RECEIVES: '2', WORKER_SWEEP_SECONDS: '1', SWEEP_STALE_SECONDS: '1' };

/** A document of a source. Its id, and so its aggregate's, is also an id of the other source. */
export interface Post {
  readonly _id: string;
  readonly slug: string;
  readonly title: string;
  readonly tags: readonly string[];
}

/** One service: its source, its outbox, and a worker while it runs. */
export class Service {
  readonly keys: RegistryKeys;
  readonly db: Db;
  readonly settings: Record<string, string>;
  readonly #client: MongoClient;
  #worker: RunningOutgraph | null = null;

  constructor(source: string, neo4jUri: string) {
    this.keys = new RegistryKeys(source);
    this.#client = new MongoClient(servers.mongodbUri);
    this.db = this.#client.db(`outgraph_test_${randomBytes(6).toString('hex')}`);
    this.settings = {
      MONGODB_URI: servers.mongodbUri,
      MONGODB_DATABASE: this.db.databaseName,
      NEO4J_URI: neo4jUri,
      OUTGRAPH_SOURCE: source,
      OUTGRAPH_CATALOG: path.join(import.meta.dirname, 'posts.ts'),
    };
  }

  /** The documents, of which each write records an event. */
  get posts() {
    return trackCollection(this.#client, this.db, post);
  }

  /** The documents, of which no write records an event. */
  get untracked(): Collection<Document & { _id: string }> {
    return this.db.collection(post.collection);
  }

  get outbox(): Collection<Document> {
    return this.db.collection(outboxCollection);
  }

  /** Sets up the outbox, and starts its worker. */
  async start(): Promise<void> {
    const { MONGODB_URI = '', MONGODB_DATABASE = '', NEO4J_URI = '', ...environment } = this.settings;
    this.#worker = await startWorker({
      mongodbUri: MONGODB_URI,
      mongodbDatabase: MONGODB_DATABASE,
      neo4jUri: NEO4J_URI,
      catalog,
      environment: { ...environment, ...quick },
    });
  }

  async stop(): Promise<void> {
    await this.#worker?.stop();
    this.#worker = null;
  }

  /** Resolves when everything that was written is in the graph. */
  async settled(): Promise<void> {
    await this.#worker?.settled();
  }

  /** Writes posts, and waits until they are in the graph. */
  async write(...posts: readonly Post[]): Promise<void> {
    await this.posts.insertMany(posts.map((one) => ({ ...one, tags: [...one.tags] })));
    await this.settled();
  }

  run(...args: readonly string[]): Promise<OutgraphRun> {
    return startOutgraph(args, this.settings).ended;
  }

  async drop(): Promise<void> {
    await this.stop();
    await this.db.dropDatabase();
    await this.#client.close();
  }
}

export interface TwoSources {
  readonly shop: Service;
  readonly blog: Service;
  readonly driver: Driver;
  readonly neo4jUri: string;
  readonly query: (statement: string, parameters?: object) => Promise<readonly Readonly<Record<string, unknown>>[]>;
  readonly drop: () => Promise<void>;
}

/** Takes a Neo4j from the pool, and starts two services on it. */
export async function startTwoSources(): Promise<TwoSources> {
  const neo4j = await takeNeo4j();
  const driver = connectGraph({ neo4jUri: neo4j.uri, neo4jUsername: null, neo4jPassword: null });
  const [shop, blog] = [new Service('shop', neo4j.uri), new Service('blog', neo4j.uri)];
  await Promise.all([shop.start(), blog.start()]);
  return {
    shop,
    blog,
    driver,
    neo4jUri: neo4j.uri,
    query: async (statement, parameters = {}) =>
      (await driver.executeQuery(statement, parameters)).records.map((record) => record.toObject()),
    drop: async () => {
      await Promise.all([shop.drop(), blog.drop()]);
      await driver.close();
      await neo4j.release();
    },
  };
}
