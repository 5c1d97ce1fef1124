/** Joins the verification to both databases. */
import type { Db, Document } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import type { AggregateDefinition } from '../aggregates/define-aggregate.ts';
import { projectPayload } from '../aggregates/project-event.ts';
import { Fault } from '../contract/fault.ts';
import { outboxCollection } from '../contract/outbox-event.ts';
import { type DocumentId, listDocuments, readDocuments } from '../mongodb/list-documents.ts';
import { readClusterTime } from '../mongodb/scan-pending.ts';
import { newestUnsettled, oldestPending } from '../mongodb/unsettled-positions.ts';
import { readGraphSchema } from '../neo4j/graph-schema.ts';
import { listChangedSince, listWithManifests, readRegistered } from '../neo4j/list-aggregates.ts';
import { lookAgain, readElements, walkElements } from '../neo4j/read-elements.ts';
import type { Difference } from '../verify/difference.ts';
import { type VerifyOptions, type VerifyReport, verify } from '../verify/verify.ts';
import type { DocumentState, VerifyPorts } from '../verify/verify-ports.ts';

/** Documents that are compared at once: those of a page and their elements are held in memory. */
const chunkDocuments = 500;
const changedAtOnce = 1_000;

/** What a verification works on. */
export interface VerifyScope {
  readonly db: Db;
  readonly driver: Driver;
  /** In Neo4j. */
  readonly database: string;
}

/** Compares documents and graph. @throws Fault `mongodb-unavailable` or `neo4j-unavailable`. */
export async function verifyGraph(
  { db, driver, database }: VerifyScope,
  definitions: readonly AggregateDefinition[],
  options: Omit<VerifyOptions, 'types' | 'chunkDocuments'>,
  {
    signal,
    progress,
    tell,
  }: {
    readonly signal: AbortSignal;
    readonly progress: VerifyPorts<DocumentId>['progress'];
    readonly tell: (difference: Difference) => void;
  },
): Promise<VerifyReport> {
  const catalog = new Map(definitions.map((definition) => [definition.type, definition]));
  const outbox = db.collection(outboxCollection);
  const definitionOf = (type: string) => {
    const definition = catalog.get(type);
    if (definition === undefined) throw new Error(`The aggregate type "${type}" is not verified.`);
    return definition;
  };
  const collectionOf = (type: string) => db.collection<Document>(definitionOf(type).collection);
  const { keys } = await readGraphSchema(driver, database);
  const ports: VerifyPorts<DocumentId> = {
    readClusterTime: () => readClusterTime(db.client, outbox),
    oldestPending: () => oldestPending(outbox),
    listDocuments: async (type, after, limit) =>
      (await listDocuments(collectionOf(type), after, limit)).map((document) => stateOf(definitionOf(type), document)),
    readDocuments: async (type, ids) =>
      (await readDocuments(collectionOf(type), ids)).map((document) => stateOf(definitionOf(type), document)),
    newestUnsettled: (type, ids) => newestUnsettled(outbox, type, ids),
    readAggregates: (some) => readRegistered(driver, database, some),
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
    readElements: (nodes, relationships) => readElements(driver, database, keys, { nodes, relationships }),
    walkElements: () => walkElements(driver, database, keys),
    lookAgain: (elements) => lookAgain(driver, database, keys, elements),
    isInterrupted: () => signal.aborted,
    progress,
  };
  return verify(ports, { ...options, types: [...catalog.keys()], chunkDocuments }, tell);
}

/** A document, and the subgraph that it stands for. */
export function stateOf(definition: AggregateDefinition, document: Document): DocumentState<DocumentId> {
  const id: DocumentId = document._id;
  let aggregateId: string | null = null;
  try {
    aggregateId = definition.id(document);
    return { id, aggregateId, subgraph: projectPayload(definition, aggregateId, document) };
  } catch (error) {
    const fault = new Fault('projection-failed', 'The aggregate has no id for this document.', { cause: error });
    return { id, aggregateId, subgraph: error instanceof Fault ? error : fault };
  }
}
