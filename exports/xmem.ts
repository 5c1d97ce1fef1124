/** `outgraph/xmem`: the aggregate types of XMem's temporal memory and code graph. */
// biome-ignore-all lint/performance/noBarrelFile: an entry point of the package, whose names are promised while the files behind them may move.
export { codeAnnotation } from '../xmem/aggregates/code-annotation.ts';
export { codeFile } from '../xmem/aggregates/code-file.ts';
export { codeRepository } from '../xmem/aggregates/code-repository.ts';
export { memoryEvent } from '../xmem/aggregates/memory-event.ts';
export { memoryUser } from '../xmem/aggregates/memory-user.ts';
