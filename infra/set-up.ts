/**
 * The set-up, as a function for the local stack and as a command for a deployment: the outbox in MongoDB, the constraints in Neo4j. Safe to run
 * again; run it with every deployment, before the functions.
 *
 *     MONGODB_URI=… NEO4J_URI=… node infra/set-up.ts
 */
import { z } from 'zod';
import { aggregates } from '../lib/aggregates/catalog.ts';
import { databaseSettings, readSettings } from '../lib/config.ts';
import { connectMongodb } from '../lib/mongodb/connect.ts';
import { setUpOutbox } from '../lib/mongodb/set-up-outbox.ts';
import { connectNeo4j } from '../lib/neo4j/connect.ts';
import { setUpGraph } from '../lib/neo4j/set-up-graph.ts';

const setUpSettings = databaseSettings.extend({
  /** How long processed events are kept before they are purged. */
  PROCESSED_RETENTION_DAYS: z.coerce.number().positive().default(7),
});

/** The databases to set up. */
export type SetUpSettings = z.infer<typeof setUpSettings>;

/**
 * Applies the set-up to both databases.
 *
 * @throws Fault that names the server that does not answer, or the constraint that cannot be made.
 */
export async function setUp(settings: SetUpSettings): Promise<void> {
  const mongodb = connectMongodb(settings.MONGODB_URI);
  const driver = connectNeo4j({
    uri: settings.NEO4J_URI,
    username: settings.NEO4J_USERNAME,
    password: settings.NEO4J_PASSWORD,
  });
  try {
    const processedRetentionSeconds = settings.PROCESSED_RETENTION_DAYS * 86_400;
    await setUpOutbox(mongodb.db(settings.MONGODB_DATABASE), { processedRetentionSeconds });
    await setUpGraph(driver, settings.NEO4J_DATABASE, aggregates);
  } finally {
    await Promise.all([mongodb.close(), driver.close()]);
  }
}

/** Reads the set-up's settings from environment variables. @throws Error that names all that is wrong. */
export function readSetUpSettings(environment: Readonly<Record<string, string | undefined>>): SetUpSettings {
  return readSettings(setUpSettings, environment);
}

if (import.meta.main) {
  try {
    await setUp(readSetUpSettings(process.env));
    process.stdout.write('The outbox and the graph are set up.\n');
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
