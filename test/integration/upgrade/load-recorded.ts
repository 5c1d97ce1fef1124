/** Makes a deployment as a recorded version left it: its collections with their validators and indexes, its graph with its registry. */
import type { Db, Document } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import { loadGraph } from '../../support/graph-dump.ts';
import type { RecordedVersion } from '../../upgrade/recorded-version.ts';

/** What a TTL index would forget a minute after it is loaded, because it was recorded long ago: taken to be of today. */
const forgettable = ['processedAt', 'endsBefore', 'lastAt'];

/** Makes the collections in an empty database, by nothing but what was recorded. */
export async function loadCollections(db: Db, { collections }: RecordedVersion): Promise<void> {
  for (const { name, options, indexes, documents } of collections) {
    await db.createCollection(name, options);
    for (const { v, key, ...index } of indexes) await db.collection(name).createIndex(key, index);
    if (documents.length > 0) await db.collection(name).insertMany(documents.map(ofToday));
  }
}

/** Makes the graph, in the place of whatever was there. */
export async function loadRecordedGraph(driver: Driver, { graph }: RecordedVersion): Promise<void> {
  await loadGraph(driver, graph);
}

/** The documents of a recorded collection. */
export function recordedDocuments({ collections }: RecordedVersion, name: string): readonly Document[] {
  return collections.find((one) => one.name === name)?.documents ?? [];
}

function ofToday(document: Document): Document {
  const now = new Date();
  const moved = forgettable.filter((field) => field in document).map((field) => [field, now]);
  return { ...document, ...Object.fromEntries(moved) };
}
