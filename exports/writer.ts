/**
 * `outgraph/writer`: writes documents and their events in one transaction. It needs the MongoDB
 * driver, but neither the Neo4j driver nor an AWS SDK.
 */
// biome-ignore-all lint/performance/noBarrelFile: an entry point of the package. Its names are stable; the files behind
// them may move.
export { contractVersion } from '../lib/contract/outbox-event.ts';
export {
  type AggregateChange,
  type EventOptions,
  type RecordOptions,
  recordEvent,
  recordEvents,
} from '../lib/writer/record-event.ts';
export { type SettledOptions, settled } from '../lib/writer/settled.ts';
export { type ModelSchema, trackModel } from '../lib/writer/track-model.ts';
export { TrackedCollection, trackCollection } from '../lib/writer/tracked-collection.ts';
export {
  type ChunkOptions,
  type CommittedChunks,
  type InChunks,
  UnfinishedWrite,
} from '../lib/writer/write-in-chunks.ts';
