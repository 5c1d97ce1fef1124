/**
 * The aggregate of all canaries: events that the sweep writes to measure the path. Its type is
 * reserved for outgraph.
 */
export const canaryAggregate = { aggregateType: 'outgraph-canary', aggregateId: 'sweep' } as const;
