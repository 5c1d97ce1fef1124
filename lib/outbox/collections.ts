/** Names of outgraph's other collections, and of the outbox's indexes. */

/** Leases and resume tokens of the publishers, and the progress of long commands. */
export const checkpointCollection = 'outboxCheckpoints';

/** Trials that have not ended. */
export const trialCollection = 'outboxTrials';

/** Conflict and failure counts of events. A document is deleted a day after its last change. */
export const conflictCollection = 'outboxConflicts';

/** Dead events that a person has discarded. */
export const discardedCollection = 'outboxDiscarded';

/**
 * The outbox's id. It is separate from the checkpoints, which may be removed to restart the
 * publisher.
 */
export const identityCollection = 'outboxIdentity';

/** The TTL index on `processedAt`. */
export const purgeIndex = 'outgraph_purge';

/**
 * Lists only collections that the user has rights on, and therefore needs no right on the whole
 * database.
 */
export const authorizedNames = { nameOnly: true, authorizedCollections: true } as const;

/** Index of events with an unknown status; empty unless a writer bypassed the validator. */
export const unknownStatusIndex = 'outgraph_unknown_status';

/** Every BSON type except string and null: a comparison with a string matches strings only. */
const otherTypes =
  'double object array binData objectId bool date regex javascript int timestamp long decimal minKey maxKey'.split(' ');

/**
 * Neither `pending` nor `processed` nor `dead`, expressed with the operators that a partial index
 * allows.
 */
export const unknownStatus = {
  $or: [
    { status: { $lt: 'dead' } },
    { status: { $gt: 'dead', $lt: 'pending' } },
    { status: { $gt: 'pending', $lt: 'processed' } },
    { status: { $gt: 'processed' } },
    { status: null },
    { status: { $type: otherTypes } },
  ],
};
