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

/** Lists events of a status that no part knows: empty, unless somebody wrote past the validator. */
export const unknownStatusIndex = 'outgraph_unknown_status';

/** Every BSON type but string and null: a comparison with a string finds strings only. */
const otherTypes =
  'double object array binData objectId bool date regex javascript int timestamp long decimal minKey maxKey'.split(' ');

/** Neither `pending` nor `processed` nor `dead`, in the words that the filter of a partial index may have. */
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
