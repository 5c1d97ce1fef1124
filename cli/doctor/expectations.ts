/** The values that the doctor expects. */

/**
 * The defaults of a deployment. A test compares them with infra/params.yml and infra/messaging.yml.
 */
export const deployed = {
  consumerTimeoutSeconds: 60,
  visibilityTimeoutSeconds: 360,
  maxReceiveCount: 1_000,
  messageRetentionSeconds: 1_209_600,
  publisherSilenceSeconds: 180,
  canaryLagSeconds: 300,
  oldestPendingSeconds: 900,
} as const;

/** See docs/how-to/deploy-to-aws.md. */
export const oldestMongodb = 6;

/**
 * 6.0 reached its end of life on 31 July 2025.
 * https://www.mongodb.com/legal/support-policy/lifecycles
 */
export const oldestSupportedMongodb = 7;

/**
 * The statements set labels by an expression (`SET n:$(labels)`), which Neo4j 5.24 introduced.
 * https://neo4j.com/docs/cypher-manual/5/deprecations-additions-removals-compatibility/
 */
export const oldestNeo4j = '5.24';

/** The releases that the tests run on. A test compares them with tools/local/neo4j-releases.ts. */
export const testedNeo4j = ['5.26', '2026.08'] as const;

/**
 * In 2025.11, `MERGE` ignores the uniqueness constraint of a key with several properties, so that
 * one batch creates duplicates. https://github.com/neo4j/neo4j/issues/13729
 */
export const duplicatingNeo4j = '2025.11';

/**
 * In 2026.02.0, a `MERGE` that sets a property from its own value can lose it. 2026.02.1 fixes it.
 * https://status.neo4j.io/incidents/tdzxskczyvc0
 */
export const losingNeo4j = '2026.02.0';

/** For everything except the writers. For those, see `engines` in package.json. */
export const oldestNode = 22;

/**
 * If a publisher stops for longer than the oplog reaches back, its resume token is lost. It then
 * publishes pending events by index, which is slower. A day covers an outage overnight.
 * https://www.mongodb.com/docs/manual/administration/change-streams-production-recommendations/
 */
export const oplogHours = 24;

/** Ages and lags depend on the clocks of writers and servers; the order of events does not. */
export const clockSkewSeconds = 5;
