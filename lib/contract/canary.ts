/**
 * The one aggregate of all canaries, the events that the sweep writes to measure the path; its type is kept for
 * outgraph itself.
 */
export const canaryAggregate = { aggregateType: 'outgraph-canary', aggregateId: 'sweep' } as const;
