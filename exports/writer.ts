/**
 * `outgraph/writer`: documents and their events in one transaction. It needs MongoDB's driver, and loads neither
 * Neo4j's nor an AWS SDK.
 */
// biome-ignore-all lint/performance/noBarrelFile: an entry point of the package, whose names are promised while the
// files behind them may move.
export { type AggregateChange, type RecordOptions, recordEvent, recordEvents } from '../lib/writer/record-event.ts';
export { TrackedCollection, trackCollection } from '../lib/writer/tracked-collection.ts';
