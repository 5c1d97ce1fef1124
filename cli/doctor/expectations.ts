/**
 * What the doctor measures a stage by. What a deployment sets is compared with infra/params.yml and infra/messaging.yml
 * by a test, so that there is one truth.
 */

/** What a deployment sets, if a stage says nothing else. */
export const deployed = {
  consumerTimeoutSeconds: 60,
  visibilityTimeoutSeconds: 360,
  maxReceiveCount: 1_000,
  messageRetentionSeconds: 1_209_600,
  publisherSilenceSeconds: 180,
  canaryLagSeconds: 300,
  oldestPendingSeconds: 900,
} as const;

/** docs/how-to/deploy-to-aws.md says so. */
export const oldestMongodb = 6;

/**
 * Relationship types need uniqueness constraints, which came with Neo4j 5.7.
 * https://neo4j.com/docs/cypher-manual/5/deprecations-additions-removals-compatibility/
 */
export const oldestNeo4j = [5, 7] as const;

/** Everything but the writers; `engines` in package.json is what the writers need. */
export const oldestNode = 22;

/**
 * The resume token of a publisher that was away for longer than the oplog reaches back is lost: then pending events are
 * published by index, which is slower. A day covers a night and whoever looks in the morning.
 * https://www.mongodb.com/docs/manual/administration/change-streams-production-recommendations/
 */
export const oplogHours = 24;

/** Ages and lags are told by the clocks of writers and servers; order is not. */
export const clockSkewSeconds = 5;
