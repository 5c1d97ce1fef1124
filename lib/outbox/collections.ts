/** The collections that outgraph keeps beside the outbox, and the names of its indexes. */

/** Leases and resume tokens of the publishers, and the notes of long commands. */
export const checkpointCollection = 'outboxCheckpoints';

/** Trials that have not ended. */
export const trialCollection = 'outboxTrials';

/** Events that were in conflict or failed; forgotten a day after they did the last time. */
export const conflictCollection = 'outboxConflicts';

/** Events that a person has discarded. */
export const discardedCollection = 'outboxDiscarded';

/** Holds the outbox's id. Apart from the checkpoints, which may be removed to restart the publisher. */
export const identityCollection = 'outboxIdentity';

/** The TTL index on `processedAt`. */
export const purgeIndex = 'outgraph_purge';

/** Lists no more than the names of what the user has rights on, and so needs no right on the database as a whole. */
export const namesOfOwn = { nameOnly: true, authorizedCollections: true } as const;
