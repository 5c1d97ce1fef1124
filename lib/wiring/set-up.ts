/** The set-up of both databases: the outbox in MongoDB, the constraints in Neo4j. Safe to run again; it runs with every deployment, before the functions that need it. */
import type { Driver } from 'neo4j-driver';
import type { AggregateCatalog } from '../aggregates/create-catalog.ts';
import type { SetUpSettings } from '../config/settings.ts';
import { Fault } from '../contract/fault.ts';
import type { SetUpStep } from '../contract/set-up-step.ts';
import { connectMongodb } from '../mongodb/connect.ts';
import { setUpOutbox } from '../mongodb/set-up-outbox.ts';
import { connectNeo4j } from '../neo4j/connect.ts';
import { findObstacles, obstaclesText } from '../neo4j/find-obstacles.ts';
import { declaredNeeds, setUpGraph } from '../neo4j/set-up-graph.ts';
import { namingNeo4j } from '../neo4j/translate-error.ts';
import { requireReplicaSet } from './check-set-up.ts';
import { closeInTime, unlessSilent } from './unless-silent.ts';

/** What became of each part of both databases. */
export interface SetUpReport {
  readonly mongodb: readonly SetUpStep[];
  readonly neo4j: readonly SetUpStep[];
}

/** The joined set-up. */
export interface SetUp {
  /** @throws Fault that names the server that does not answer, or the constraint that cannot be made. */
  readonly apply: () => Promise<SetUpReport>;
  readonly close: () => Promise<void>;
}

/** Joins the parts; connections open with the first call. */
export function wireSetUp(settings: SetUpSettings, catalog: AggregateCatalog): SetUp {
  const mongodb = connectMongodb(settings.MONGODB_URI);
  const driver = connectNeo4j({
    uri: settings.NEO4J_URI,
    username: settings.NEO4J_USERNAME,
    password: settings.NEO4J_PASSWORD,
  });
  return {
    apply: async () => {
      await requireReplicaSet(mongodb.db(settings.MONGODB_DATABASE));
      const processedRetentionSeconds = settings.PROCESSED_RETENTION_DAYS * 86_400;
      return {
        mongodb: await setUpOutbox(mongodb.db(settings.MONGODB_DATABASE), { processedRetentionSeconds }),
        neo4j: await namingNeo4j(settings.NEO4J_URI, () =>
          unlessSilent(settings, () =>
            setUpGraph(driver, settings.NEO4J_DATABASE, catalog).catch(async (error: unknown) => {
              throw await explainRefusal(driver, settings.NEO4J_DATABASE, catalog, error);
            }),
          ),
        ),
      };
    },
    close: async () => {
      await Promise.all([mongodb, driver].map(closeInTime));
    },
  };
}

/** Names the index that is in the way of a constraint, and the statement that drops it. */
async function explainRefusal(
  driver: Driver,
  database: string,
  catalog: AggregateCatalog,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof Fault) || error.code !== 'set-up-missing') return error;
  // A user that may not look hears what is wrong all the same.
  const obstacles = await findObstacles(driver, database, declaredNeeds(catalog)).catch(() => []);
  const text = obstaclesText(obstacles);
  return text === '' ? error : new Fault(error.code, `${error.message}${text}`, { cause: error });
}

/**
 * Sets up both databases, and closes the connections again.
 *
 * @throws as {@link SetUp.apply}.
 */
export async function setUpOnce(settings: SetUpSettings, catalog: AggregateCatalog): Promise<SetUpReport> {
  const setUp = wireSetUp(settings, catalog);
  try {
    return await setUp.apply();
  } finally {
    await setUp.close();
  }
}
