/**
 * Sets up both databases: the outbox in MongoDB and the constraints in Neo4j. Idempotent; it runs
 * with every deployment, before the functions that need it.
 */

import type { Db } from 'mongodb';
import { RegistryKeys } from '../contract/registry-keys.ts';
import { connectNeo4j } from '../graph/neo4j-connect.ts';
import { withNeo4jAddress } from '../graph/neo4j-errors.ts';
import { closeInTime, unlessSilent } from '../graph/neo4j-unless-silent.ts';
import { identityCollection } from '../outbox/collections.ts';
import { readClusterTime } from '../outbox/mongodb-clock.ts';
import { connectMongodb } from '../outbox/mongodb-connect.ts';
import type { AggregateCatalog } from '../projection/catalog.ts';
import type { SetUpSettings } from '../runtime/settings.ts';
import { checkBinding } from './binding-wiring.ts';
import { writeDeclaredTypes } from './mongodb-declared-types.ts';
import { claimOutbox, releaseOutbox } from './mongodb-deployed-stack.ts';
import { adoptSource, readOutboxId, requireSource } from './mongodb-identity.ts';
import { requireReplicaSet } from './mongodb-inspect-server.ts';
import { setUpOutbox } from './mongodb-outbox.ts';
import { requireTimestamps } from './mongodb-timestamps.ts';
import { readNewerSetUp, recordSetUpVersion } from './mongodb-version.ts';
import { withdrawPositions } from './neo4j-binding.ts';
import { setUpGraph } from './neo4j-graph.ts';
import type { SetUpStep } from './set-up-step.ts';

/** The outcome of each part of both databases. */
export interface SetUpReport {
  readonly mongodb: readonly SetUpStep[];
  readonly neo4j: readonly SetUpStep[];
  /**
   * Number of aggregates in an adopted graph whose positions were later than this cluster can have
   * assigned. Record their documents again.
   */
  readonly withdrawn: number;
  /**
   * Version of the set-up that the databases have, if it is newer than this one; null otherwise.
   * A newer set-up stays as it is; only an adopted graph gets a new outbox.
   */
  readonly newer: number | null;
}

export interface SetUpOptions {
  /**
   * Adopt the graph, whichever outbox it belongs to and whatever positions it has. The next
   * deployment has the outbox, whichever stack it belonged to. The outbox gets the source of the
   * settings; with a source, only this source of the graph is adopted.
   */
  readonly adopt?: boolean;
}

/** For the set-up that a deployment runs. */
interface DeployedSetUpOptions extends SetUpOptions {
  /** The stack, which becomes the only one that may use this outbox. */
  readonly stack?: string;
}

/** A wired set-up. */
export interface SetUp {
  /**
   * Applies the set-up.
   *
   * @throws Fault that names the server that does not answer, or the constraint that cannot be
   * created; `graph-of-another-outbox`, `clock-behind-graph`; `configuration-invalid` if the outbox
   * belongs to another stack, or has another source.
   */
  readonly apply: (options?: DeployedSetUpOptions) => Promise<SetUpReport>;
  readonly close: () => Promise<void>;
}

/** Creates a set-up; connections open with the first call. */
export function wireSetUp(
  settings: Omit<SetUpSettings, 'OUTGRAPH_ALLOW_PLAIN_CONNECTIONS'>,
  catalog: AggregateCatalog,
): SetUp {
  const mongodb = connectMongodb(settings.MONGODB_URI);
  const driver = connectNeo4j({
    uri: settings.NEO4J_URI,
    username: settings.NEO4J_USERNAME,
    password: settings.NEO4J_PASSWORD,
  });
  const keys = new RegistryKeys(settings.OUTGRAPH_SOURCE);
  const { source } = keys;
  const setUpMongodb = async (db: Db): Promise<readonly SetUpStep[]> => {
    const processedRetentionSeconds = settings.PROCESSED_RETENTION_DAYS * 86_400;
    const steps = await setUpOutbox(db, { processedRetentionSeconds, source });
    await recordSetUpVersion(db);
    await writeDeclaredTypes(db, [...catalog.keys()]);
    return steps;
  };
  return {
    apply: async ({ adopt = false, stack } = {}) => {
      const db = mongodb.db(settings.MONGODB_DATABASE);
      const database = settings.NEO4J_DATABASE;
      await requireReplicaSet(db);
      await requireTimestamps(db);
      if (adopt) await releaseOutbox(db);
      else await requireSource(db, source);
      if (stack !== undefined) await claimOutbox(db, stack);
      const newer = await readNewerSetUp(db);
      if (newer !== null && !adopt) return { mongodb: [], neo4j: [], withdrawn: 0, newer };
      const inMongodb = newer === null ? await setUpMongodb(db) : [];
      const outboxId = await readOutboxId(db, adopt ? null : source);
      const setUpNeo4j = async () => {
        const inNeo4j = await setUpGraph(driver, database, catalog, outboxId, { adopt, keys });
        // Only now: the graph may refuse the source.
        if (adopt) await adoptSource(db, source);
        const withdrawn = adopt
          ? await withdrawPositions(
              driver,
              database,
              keys,
              await readClusterTime(mongodb, db.collection(identityCollection)),
            )
          : 0;
        await checkBinding(db, driver, database, keys);
        return { neo4j: inNeo4j, withdrawn };
      };
      const inGraph = await withNeo4jAddress(settings.NEO4J_URI, () => unlessSilent(settings, setUpNeo4j));
      return { mongodb: inMongodb, ...inGraph, newer };
    },
    close: async () => {
      await Promise.all([mongodb, driver].map(closeInTime));
    },
  };
}

/**
 * Sets up both databases, and closes its connections. Idempotent: run it with every deployment,
 * before the worker starts.
 *
 * @param settings read them with `readSettings(setUpSettings, process.env)`.
 * @param options `adopt`: bind the graph to this outbox even if it belongs to another one, and let
 * the next deployment have the outbox.
 * @throws Fault that names the server that does not answer, or the constraint that cannot be
 * created; `graph-of-another-outbox`, `clock-behind-graph`.
 * @example
 * await setUpOnce(readSettings(setUpSettings, process.env), createCatalog([person]));
 */
export async function setUpOnce(
  settings: SetUpSettings,
  catalog: AggregateCatalog,
  options: SetUpOptions = {},
): Promise<SetUpReport> {
  const setUp = wireSetUp(settings, catalog);
  try {
    return await setUp.apply(options);
  } finally {
    await setUp.close();
  }
}
