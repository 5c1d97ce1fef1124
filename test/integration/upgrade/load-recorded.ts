/**
 * Creates a deployment as a recorded version left it: its collections with validators and indexes,
 * and its graph with the registry.
 */
import type { Db, Document } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import { loadGraph } from '../../support/graph-dump.ts';
import type { RecordedVersion } from '../../upgrade/recorded-version.ts';

/**
 * Fields of TTL indexes. They are set to today, because their recorded values are old and would
 * expire within a minute.
 */
const expiringFields = ['processedAt', 'endsBefore', 'lastAt'];

/** Creates the recorded collections in an empty database. */
export async function loadCollections(db: Db, { collections }: RecordedVersion): Promise<void> {
  for (const { name, options, indexes, documents } of collections) {
    await db.createCollection(name, options);
    for (const { v, key, ...index } of indexes) await db.collection(name).createIndex(key, index);
    if (documents.length > 0) await db.collection(name).insertMany(documents.map(withCurrentDates));
  }
}

/** Replaces the graph with the recorded one. */
export async function loadRecordedGraph(driver: Driver, { graph }: RecordedVersion): Promise<void> {
  await loadGraph(driver, graph);
}

/** The documents of a recorded collection. */
export function recordedDocuments({ collections }: RecordedVersion, name: string): readonly Document[] {
  return collections.find((one) => one.name === name)?.documents ?? [];
}

function withCurrentDates(document: Document): Document {
  const now = new Date();
  const updated = expiringFields.filter((field) => field in document).map((field) => [field, now]);
  return { ...document, ...Object.fromEntries(updated) };
}
