/**
 * `outgraph`: declares aggregate types, for writers and functions. It imports no database driver and
 * no AWS SDK.
 */
// biome-ignore-all lint/performance/noBarrelFile: an entry point of the package. Its names are stable; the files behind
// them may move.

export { Fault, type FaultCode } from '../lib/contract/fault.ts';
export type {
  KeyNames,
  ProjectedEndpoint,
  ProjectedKeyValue,
  ProjectedNode,
  ProjectedRelationship,
  ProjectedSubgraph,
  ProjectedValue,
} from '../lib/contract/subgraph.ts';
export { type AggregateCatalog, createCatalog } from '../lib/projection/catalog.ts';
export {
  type AggregateDefinition,
  defineAggregate,
  documentId,
  type GraphDeclaration,
} from '../lib/projection/define-aggregate.ts';
export { endpoint, relationship } from '../lib/projection/elements.ts';
export { graph } from '../lib/projection/graph.ts';
export type { IndexDeclaration } from '../lib/projection/index-declaration.ts';
export { type StoredNumber, storedNumber } from '../lib/projection/stored-number.ts';
export { defineConfig, type OutgraphConfig } from '../lib/runtime/config.ts';
