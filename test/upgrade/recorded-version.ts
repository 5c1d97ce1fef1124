/**
 * The data that a released version left in a running deployment, as files: the queue's messages,
 * MongoDB's collections with their set-up, and the graph with its registry. Every release records
 * its own (`npm run record`) and keeps those of earlier ones, so that a test can continue from each
 * with today's code.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Document, EJSON } from 'bson';
import type { GraphDump } from '../support/graph-dump.ts';

/** The sources of messages, each with its own shape. */
export const messageShapes = ['eventbridge', 'sweep', 'atlas-plain', 'atlas-extended-json'] as const;

/** A queue message's body as it was received, with its event. */
export interface RecordedMessage {
  readonly shape: (typeof messageShapes)[number];
  readonly eventId: string;
  readonly body: string;
}

/** A collection as its version's set-up created it, with its documents. */
export interface RecordedCollection {
  readonly name: string;
  /** The options of `createCollection`. */
  readonly options: Document;
  readonly indexes: readonly Document[];
  readonly documents: readonly Document[];
}

/** All data that one version left behind. */
export interface RecordedVersion {
  readonly version: string;
  readonly messages: readonly RecordedMessage[];
  readonly collections: readonly RecordedCollection[];
  readonly graph: GraphDump;
}

const folder = path.join(import.meta.dirname, 'recorded');

/** The folder of a version's files. */
export function recordedFolder(version: string): string {
  return path.join(folder, version);
}

/** The recorded versions, in any order. */
export function recordedVersions(): readonly string[] {
  return readdirSync(folder);
}

/**
 * Writes the files, one for each collection. Documents are canonical Extended JSON, so that every
 * value keeps its BSON type.
 */
export function writeRecorded({ version, messages, collections, graph }: RecordedVersion): void {
  mkdirSync(recordedFolder(version), { recursive: true });
  const write = (name: string, content: unknown) =>
    writeFileSync(path.join(recordedFolder(version), `${name}.json`), `${JSON.stringify(content, null, 2)}\n`);
  write('messages', messages);
  write('graph', graph);
  for (const { name, ...rest } of collections) write(`collection-${name}`, EJSON.serialize(rest, { relaxed: false }));
}

/** Reads the files of a version. */
export function readRecorded(version: string): RecordedVersion {
  const read = (file: string) => JSON.parse(readFileSync(path.join(recordedFolder(version), file), 'utf8'));
  const files = readdirSync(recordedFolder(version)).filter((file) => file.startsWith('collection-'));
  const collections = files.map((file) => ({
    name: file.slice('collection-'.length, -'.json'.length),
    ...(EJSON.deserialize(read(file), { relaxed: false }) as Omit<RecordedCollection, 'name'>),
  }));
  return { version, messages: read('messages.json'), graph: read('graph.json'), collections };
}
