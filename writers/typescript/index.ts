/**
 * `outgraph-writer`: declares aggregate types, and writes documents and their events in one
 * transaction.
 */
// biome-ignore-all lint/performance/noBarrelFile: an entry point of the package. Its names are stable; the files behind
// them may move.
export { Fault, type FaultCode } from '../../lib/contract/fault.ts';
export { contractVersion } from '../../lib/contract/outbox-event.ts';
export type {
  KeyNames,
  ProjectedEndpoint,
  ProjectedKeyValue,
  ProjectedNode,
  ProjectedRelationship,
  ProjectedSubgraph,
  ProjectedValue,
} from '../../lib/contract/subgraph.ts';
export {
  type AggregateDefinition,
  defineAggregate,
  documentId,
  type GraphDeclaration,
} from '../../lib/projection/define-aggregate.ts';
export { endpoint, relationship } from '../../lib/projection/elements.ts';
export { graph } from '../../lib/projection/graph.ts';
export type { IndexDeclaration } from '../../lib/projection/index-declaration.ts';
export {
  type AggregateChange,
  type EventOptions,
  type RecordOptions,
  recordEvent,
  recordEvents,
} from '../../lib/writer/record-event.ts';
export { type SettledOptions, settled } from '../../lib/writer/settled.ts';
export { type ModelSchema, trackModel } from '../../lib/writer/track-model.ts';
export { TrackedCollection, trackCollection } from '../../lib/writer/tracked-collection.ts';
export {
  type ChunkOptions,
  type CommittedChunks,
  type InChunks,
  UnfinishedWrite,
} from '../../lib/writer/write-in-chunks.ts';
