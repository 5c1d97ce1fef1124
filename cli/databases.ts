/**
 * Shared by the operator's commands: connections for the duration of one command, its pace and its
 * waits.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import { canaryAggregate } from '../lib/contract/canary.ts';
import { positionTime } from '../lib/contract/position.ts';
import { RegistryKeys } from '../lib/contract/registry-keys.ts';
import { connectNeo4j } from '../lib/graph/neo4j-connect.ts';
import { withNeo4jAddress } from '../lib/graph/neo4j-errors.ts';
import { readAggregatePositions } from '../lib/graph/neo4j-list-aggregates.ts';
import { closeInTime, unlessSilent } from '../lib/graph/neo4j-unless-silent.ts';
import { outboxOf } from '../lib/outbox/mongodb-collection.ts';
import { connectMongodb } from '../lib/outbox/mongodb-connect.ts';
import { readServerTime } from '../lib/outbox/mongodb-measure.ts';
import type { GraphAddress, OutboxAddress } from '../lib/runtime/addresses.ts';
import { checkBinding } from '../lib/set-up/binding-wiring.ts';
import { checkOutbox } from '../lib/set-up/mongodb-outbox.ts';
import { createPace, type Pace } from './throttle/pace.ts';

/** Open connections to both. The caller closes them. */
export interface Databases {
  readonly db: Db;
  readonly driver: Driver;
  /** The name of the Neo4j database. */
  readonly database: string;
  /** The keys of the outbox's aggregates in it. */
  readonly keys: RegistryKeys;
}

/** How a long command is throttled, interrupted and followed. */
export interface Running {
  readonly ratePerSecond: number;
  /** When aborted, the command ends after its current chunk. */
  readonly signal: AbortSignal;
  readonly progress: (done: number) => void;
}

/**
 * Opens MongoDB for the duration of `work`, after a check that the outbox is set up.
 *
 * @throws Fault `set-up-missing`, `mongodb-unavailable`, or a fault of `work`.
 */
export function withOutbox<Result>(address: OutboxAddress, work: (db: Db) => Promise<Result>): Promise<Result> {
  return withMongodb(address, async (db) => {
    await checkOutbox(db);
    return work(db);
  });
}

/** Opens MongoDB for the duration of `work`. */
export async function withMongodb<Result>(
  { MONGODB_URI, MONGODB_DATABASE }: OutboxAddress,
  work: (db: Db) => Promise<Result>,
): Promise<Result> {
  const client = connectMongodb(MONGODB_URI);
  try {
    return await work(client.db(MONGODB_DATABASE));
  } finally {
    await closeInTime(client);
  }
}

/**
 * Opens the outbox's graph for the duration of `work`. Gives up early if the server stops
 * answering.
 *
 * @throws Fault as {@link checkBinding} does, `neo4j-unavailable`, or a fault of `work`.
 */
export function withGraph<Result>(
  db: Db,
  graph: GraphAddress,
  work: (driver: Driver) => Promise<Result>,
): Promise<Result> {
  return withDriver(graph, (driver) =>
    unlessSilent(graph, async () => {
      await checkBinding(db, driver, graph.NEO4J_DATABASE, keysIn(graph));
      return work(driver);
    }),
  );
}

/** The keys of the outbox's aggregates in its graph. */
export function keysIn({ OUTGRAPH_SOURCE }: GraphAddress): RegistryKeys {
  return new RegistryKeys(OUTGRAPH_SOURCE);
}

/** Short, because a person waits for the answer. Long commands have their own retries. */
const retrySeconds = 5;

/**
 * Opens the graph for the duration of `work`. `work` may outlive outages: guard each request with
 * `unlessSilent`.
 */
export async function withDriver<Result>(
  { NEO4J_URI, NEO4J_USERNAME, NEO4J_PASSWORD }: GraphAddress,
  work: (driver: Driver) => Promise<Result>,
): Promise<Result> {
  const address = { uri: NEO4J_URI, username: NEO4J_USERNAME, password: NEO4J_PASSWORD };
  const driver = connectNeo4j(address, { retrySeconds });
  try {
    return await withNeo4jAddress(NEO4J_URI, () => work(driver));
  } finally {
    await closeInTime(driver);
  }
}

/** MongoDB's clock. @throws Fault `mongodb-unavailable`. */
export function readOutboxTime(db: Db): Promise<Date> {
  return readServerTime(outboxOf(db));
}

/**
 * When the newest canary in the graph was written, by MongoDB's clock. A backup that contains this
 * canary was made later. Null if the graph has no canary.
 *
 * @throws Fault as {@link withGraph} does.
 */
export async function readGraphTime(db: Db, graph: GraphAddress): Promise<Date | null> {
  const { aggregateType, aggregateId } = canaryAggregate;
  const positions = await withGraph(db, graph, (driver) =>
    readAggregatePositions(driver, graph.NEO4J_DATABASE, keysIn(graph), aggregateType, [aggregateId]),
  );
  const position = positions.get(aggregateId);
  return position === undefined ? null : positionTime(position);
}

/** The command's pace. It stops waiting when the command is interrupted. */
export function paceOf({ ratePerSecond, signal }: Running): Pace {
  return createPace(ratePerSecond, {
    now: () => performance.now(),
    sleep: (millis) => sleepUnless(signal, millis),
  });
}

/** Sleeps until the time is up or the signal is aborted. */
export function sleepUnless(signal: AbortSignal, millis: number): Promise<void> {
  return sleep(millis, undefined, { signal }).catch(() => undefined);
}
