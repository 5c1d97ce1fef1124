/** Runs the verification on both databases. */
import type { Document } from 'mongodb';
import { type KeyRange, wholeRegistry } from '../../lib/contract/registry-keys.ts';
import { readKeyNames, recentKeyNames } from '../../lib/graph/neo4j-key-names.ts';
import { listChangedSince, listWithManifests, readRegistered } from '../../lib/graph/neo4j-list-aggregates.ts';
import { queryOf } from '../../lib/graph/neo4j-read.ts';
import { readElements, rereadElements, walkElements } from '../../lib/graph/neo4j-read-elements.ts';
import { readGraphSchema } from '../../lib/graph/neo4j-schema.ts';
import type { RegisteredAggregate } from '../../lib/graph/stored-graph.ts';
import { readClusterTime } from '../../lib/outbox/mongodb-clock.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { newestUnsettled, oldestPending } from '../../lib/outbox/mongodb-unsettled.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { inChunks } from '../../lib/runtime/in-chunks.ts';
import type { Databases } from '../databases.ts';
import { stateOf } from '../documents/document-state.ts';
import { type DocumentId, listDocuments, readDocuments, type StoredDocument } from '../documents/mongodb-documents.ts';
import type { Selected } from '../documents/mongodb-select.ts';
import type { OnDifference } from './difference.ts';
import { countListings } from './neo4j-count-listings.ts';
import type { VerifyPorts } from './ports.ts';
import { type VerifyOptions, type VerifyReport, verify } from './verify.ts';

/** What each type is limited to. */
export type Selection = ReadonlyMap<string, Selected>;

/** Documents compared at once. They and their elements are held in memory. */
const chunkDocuments = 500;
const changedAtOnce = 1_000;
const aggregatesAtOnce = 1_000;

export interface VerifyScopeOptions extends Omit<VerifyOptions, 'types' | 'selection'> {
  /** Null: all documents of the types. */
  readonly selection: Selection | null;
}

/** Compares documents and graph. @throws Fault `mongodb-unavailable` or `neo4j-unavailable`. */
export async function verifyGraph(
  { db, driver, database, keys }: Databases,
  definitions: readonly AggregateDefinition[],
  { selection, ...options }: VerifyScopeOptions,
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
  async function* walkAll(type: string) {
    const pages = pagesAfter<StoredDocument, { readonly id: DocumentId } | null>(
      null,
      (after) => listDocuments(collectionOf(type), after, chunkDocuments),
      ({ id }) => ({ id }),
    );
    for await (const page of pages) yield page.map((document) => stateOf(definitionOf(type), document));
  }
  async function* walkSelected(type: string, { documents, aggregateIds }: Selected) {
    const wanted = aggregateIds === null ? null : new Set(aggregateIds);
    for (const ids of inChunks(documents, chunkDocuments)) {
      const found = await readDocuments(collectionOf(type), ids);
      const states = found.map((document) => stateOf(definitionOf(type), document));
      const page = states.filter(({ aggregateId }) => aggregateId === null || (wanted?.has(aggregateId) ?? true));
      if (page.length > 0) yield page;
    }
  }
  async function* walkSelectedAggregates(selected: Selection) {
    for (const [aggregateType, { aggregateIds }] of selected)
      for (const ids of inChunks(aggregateIds ?? [], aggregatesAtOnce)) {
        const known = await readRegistered(
          driver,
          database,
          ids.map((aggregateId) => keys.of({ aggregateType, aggregateId })),
        );
        yield [...known.values()].filter(({ deleted }) => !deleted);
      }
  }
  const recentKeys = recentKeyNames(driver, database);
  const freshKeys = () => readKeyNames(driver, database);
  const pagesOf = (range: KeyRange, read: (range: KeyRange) => Promise<readonly RegisteredAggregate[]>) =>
    pagesAfter(range.after, (after) => read({ ...range, after }), keyOf);
  const ports: VerifyPorts<DocumentId> = {
    keys,
    readClusterTime: () => readClusterTime(db.client, outbox),
    oldestPending: () => oldestPending(outbox),
    walkDocuments: (type) => (selection === null ? walkAll(type) : walkSelected(type, selection.get(type) ?? nothing)),
    readDocuments: async (type, ids) =>
      (await readDocuments(collectionOf(type), ids)).map((document) => stateOf(definitionOf(type), document)),
    newestUnsettled: (type, ids) => newestUnsettled(outbox, type, ids),
    readAggregates: (named) => readRegistered(driver, database, named),
    walkAggregates: (of) =>
      selection === null
        ? pagesOf(of === 'graph' ? wholeRegistry : keys.range, (range) =>
            listWithManifests(driver, database, range, aggregatesAtOnce),
          )
        : walkSelectedAggregates(selection),
    listChanged: (since) =>
      pagesOf(wholeRegistry, (range) => listChangedSince(driver, database, { ...range, since, limit: changedAtOnce })),
    readElements: async (nodes, relationships) =>
      readElements(driver, database, await recentKeys(), { nodes, relationships }),
    readOwnLabels: async () => new Set((await readGraphSchema(driver, database)).keys.keys()),
    walkElements: () => walkElements(driver, database, recentKeys),
    rereadElements: async (elements) => rereadElements(queryOf(driver, database), await freshKeys(), elements),
    countListings: (elements) => countListings(driver, database, freshKeys, elements),
    isInterrupted: () => signal.aborted,
    progress,
  };
  const certainTypes = new Set([...(selection ?? [])].flatMap(([type, { isCertain }]) => (isCertain ? type : [])));
  const limits = { types: [...catalog.keys()], selection: selection === null ? null : { certainTypes } };
  return verify(ports, { ...options, ...limits }, onDifference);
}

const keyOf = ({ key }: RegisteredAggregate) => key;

/** All pages of a list that is read after the last item of the page before. */
async function* pagesAfter<Item, After>(
  start: After,
  read: (after: After) => Promise<readonly Item[]>,
  afterOf: (last: Item) => After,
): AsyncGenerator<readonly Item[]> {
  for (let after = start; ; ) {
    const page = await read(after);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = afterOf(last);
  }
}

const nothing: Selected = { documents: [], aggregateIds: [], isCertain: false };
