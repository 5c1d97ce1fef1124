/** `outgraph-writer/zod`: what payload schemas of zod need. */
// biome-ignore-all lint/performance/noBarrelFile: an entry point of the package. Its names are stable; the files behind
// them may move.
export { type StoredNumber, storedNumber } from '../../lib/projection/stored-number.ts';
