/** Runs the verification on both databases. */
import type { Document } from 'mongodb';
import { readKeyNames, recentKeyNames } from '../../lib/graph/neo4j-key-names.ts';
import { listChangedSince, listWithManifests, readRegistered } from '../../lib/graph/neo4j-list-aggregates.ts';
import { queryOf } from '../../lib/graph/neo4j-read.ts';
import { readElements, rereadElements, walkElements } from '../../lib/graph/neo4j-read-elements.ts';
import { readGraphSchema } from '../../lib/graph/neo4j-schema.ts';
import { readClusterTime } from '../../lib/outbox/mongodb-clock.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { newestUnsettled, oldestPending } from '../../lib/outbox/mongodb-unsettled.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import type { Databases } from '../databases.ts';
import { stateOf } from '../documents/document-state.ts';
import { type DocumentId, listDocuments, readDocuments } from '../documents/mongodb-documents.ts';
import type { OnDifference } from './difference.ts';
import { countListings } from './neo4j-count-listings.ts';
import type { VerifyPorts } from './ports.ts';
import { type VerifyOptions, type VerifyReport, verify } from './verify.ts';

/** Documents compared at once. They and their elements are held in memory. */
const chunkDocuments = 500;
const changedAtOnce = 1_000;

/** Compares documents and graph. @throws Fault `mongodb-unavailable` or `neo4j-unavailable`. */
export async function verifyGraph(
  { db, driver, database }: Databases,
  definitions: readonly AggregateDefinition[],
  options: Omit<VerifyOptions, 'types' | 'chunkDocuments'>,
  {
    signal,
    progress,
    onDifference,
  }: {
    readonly signal: AbortSignal;
    readonly progress: VerifyPorts<DocumentId>['progress'];
    readonly onDifference: OnDifference<DocumentId>;
  },
): Promise<VerifyReport> {
  const catalog = new Map(definitions.map((definition) => [definition.type, definition]));
  const outbox = outboxOf(db);
  const definitionOf = (type: string) => {
    const definition = catalog.get(type);
    if (definition === undefined) throw new Error(`The aggregate type "${type}" is not verified.`);
    return definition;
  };
  const collectionOf = (type: string) => db.collection<Document>(definitionOf(type).collection);
  const recentKeys = recentKeyNames(driver, database);
  const freshKeys = () => readKeyNames(driver, database);
  const ports: VerifyPorts<DocumentId> = {
    readClusterTime: () => readClusterTime(db.client, outbox),
    oldestPending: () => oldestPending(outbox),
    listDocuments: async (type, after, limit) =>
      (await listDocuments(collectionOf(type), after, limit)).map((document) => stateOf(definitionOf(type), document)),
    readDocuments: async (type, ids) =>
      (await readDocuments(collectionOf(type), ids)).map((document) => stateOf(definitionOf(type), document)),
    newestUnsettled: (type, ids) => newestUnsettled(outbox, type, ids),
    readAggregates: (keys) => readRegistered(driver, database, keys),
    listAggregates: (after, limit) => listWithManifests(driver, database, after, limit),
    listChanged: async function* (since) {
      let after = '';
      for (;;) {
        const page = await listChangedSince(driver, database, { since, after, limit: changedAtOnce });
        const last = page.at(-1);
        if (last === undefined) return;
        yield page;
        after = last.key;
      }
    },
    readElements: async (nodes, relationships) =>
      readElements(driver, database, await recentKeys(), { nodes, relationships }),
    readOwnLabels: async () => new Set((await readGraphSchema(driver, database)).keys.keys()),
    walkElements: () => walkElements(driver, database, recentKeys),
    rereadElements: async (elements) => rereadElements(queryOf(driver, database), await freshKeys(), elements),
    countListings: (elements) => countListings(driver, database, freshKeys, elements),
    isInterrupted: () => signal.aborted,
    progress,
  };
  return verify(ports, { ...options, types: [...catalog.keys()], chunkDocuments }, onDifference);
}
