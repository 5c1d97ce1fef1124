/**
 * Each part's rights in MongoDB, as data. The roles of a self-hosted replica set, the commands for
 * Atlas and the tables in `docs/explanation/security.md` are generated from it. Every action is
 * necessary: a test removes each one in turn, and its part fails.
 */

/** A right on one collection; no role has rights on the whole database or the cluster. */
export interface Privilege {
  readonly collection: string;
  readonly actions: readonly Action[];
}

/** MongoDB's names of actions; each has one in Atlas. */
export type Action =
  | 'find'
  | 'insert'
  | 'update'
  | 'remove'
  | 'changeStream'
  | 'listIndexes'
  | 'createCollection'
  | 'createIndex'
  | 'dropIndex'
  | 'collMod'
  | 'bypassDocumentValidation';

/** The parts that connect to the database with users of their own. */
export const parts = [
  'writer',
  'await',
  'publisher',
  'consumer',
  'sweep',
  'set-up',
  'worker',
  'operator',
  'discard',
  'reprojection',
  'erasure',
] as const;
export type Part = (typeof parts)[number];

/** Every part that uses the graph compares the outbox's id with the graph's. */
const identity: Privilege = { collection: 'outboxIdentity', actions: ['find'] };

/**
 * Besides the writer's role, for a writer that waits until its events are applied. Separate, because
 * it can read every event.
 */
const awaiting: readonly Privilege[] = [{ collection: 'outbox', actions: ['find'] }];

const publisher: readonly Privilege[] = [
  // For the change stream, the backlog by index, and the check of the set-up.
  { collection: 'outbox', actions: ['find', 'changeStream', 'listIndexes'] },
  { collection: 'outboxCheckpoints', actions: ['find', 'insert', 'update'] },
];

const consumer: readonly Privilege[] = [
  // To read and acknowledge events, and to mark them dead.
  { collection: 'outbox', actions: ['find', 'update', 'listIndexes'] },
  identity,
  { collection: 'outboxTrials', actions: ['find', 'insert', 'update', 'remove'] },
  { collection: 'outboxConflicts', actions: ['find', 'insert', 'update', 'remove'] },
];

const sweep: readonly Privilege[] = [
  // It inserts only its canaries.
  { collection: 'outbox', actions: ['find', 'insert', 'update', 'listIndexes'] },
  identity,
  { collection: 'outboxCheckpoints', actions: ['find', 'insert', 'update'] },
];

/** It creates collections and indexes, and the outbox's id; it reads no other document. */
const setUp: readonly Privilege[] = [
  { collection: 'outbox', actions: ['createCollection', 'collMod', 'listIndexes', 'createIndex', 'dropIndex'] },
  { collection: 'outboxIdentity', actions: ['find', 'insert', 'update'] },
  { collection: 'outboxCheckpoints', actions: ['createCollection'] },
  { collection: 'outboxTrials', actions: ['createCollection', 'createIndex'] },
  { collection: 'outboxConflicts', actions: ['createCollection', 'createIndex'] },
  { collection: 'outboxDiscarded', actions: ['createCollection', 'createIndex'] },
];

/**
 * It reads all of outgraph's collections, follows events as they are settled, redrives dead events,
 * and deletes their conflict and failure counts. It inserts and removes no event.
 */
const operator: readonly Privilege[] = [
  { collection: 'outbox', actions: ['find', 'update', 'changeStream', 'listIndexes'] },
  identity,
  { collection: 'outboxCheckpoints', actions: ['find'] },
  { collection: 'outboxTrials', actions: ['find', 'update', 'remove'] },
  { collection: 'outboxConflicts', actions: ['find', 'remove'] },
  { collection: 'outboxDiscarded', actions: ['find'] },
];

/**
 * Discards dead events. Separate from the operator, because it is rare, and because MongoDB grants
 * `remove` on whole documents: its user could remove a pending event, which nothing would restore.
 * It cannot read, change or remove discarded events.
 */
const discard: readonly Privilege[] = [
  { collection: 'outbox', actions: ['find', 'remove', 'listIndexes'] },
  identity,
  { collection: 'outboxDiscarded', actions: ['insert', 'listIndexes'] },
];

/**
 * Records documents again: reads them, writes to them briefly (which their validators would refuse)
 * so that no writer can interfere, and saves its progress. Separate from the operator, because it
 * reads every document.
 */
function reprojection(writerCollections: readonly string[]): readonly Privilege[] {
  return [
    { collection: 'outbox', actions: ['find', 'insert', 'listIndexes'] },
    identity,
    { collection: 'outboxCheckpoints', actions: ['find', 'insert', 'update', 'remove'] },
    ...writerCollections.map((collection): Privilege => {
      return { collection, actions: ['find', 'update', 'bypassDocumentValidation'] };
    }),
  ];
}

/**
 * Erases an aggregate whose document was deleted: records the deletion, and removes the aggregate's
 * events. Separate for the same reason as `discard`; it may also remove discarded events.
 */
function erasure(writerCollections: readonly string[]): readonly Privilege[] {
  return [
    { collection: 'outbox', actions: ['find', 'insert', 'remove', 'listIndexes'] },
    identity,
    { collection: 'outboxTrials', actions: ['update', 'remove'] },
    { collection: 'outboxConflicts', actions: ['remove'] },
    { collection: 'outboxDiscarded', actions: ['find', 'remove'] },
    ...writerCollections.map((collection): Privilege => ({ collection, actions: ['find'] })),
  ];
}

/**
 * A role on a collection without a name would apply to all collections. A writer with rights to
 * change `outbox` could rewrite history.
 */
const collectionPattern = /^(?!outbox(Identity|Checkpoints|Trials|Conflicts|Discarded)?$)(?!system\.)[A-Za-z_][\w.-]*$/;

/**
 * Returns the rights of a part.
 *
 * @param writerCollections the writer's own collections, which it reads and writes; it may only
 * insert events.
 * @throws Error for a collection that no writer may have.
 */
export function privilegesOf(part: Part, writerCollections: readonly string[] = []): readonly Privilege[] {
  const wrong = writerCollections.find((collection) => !collectionPattern.test(collection));
  if (wrong !== undefined)
    throw new Error(`"${wrong}" cannot be a writer's own collection: name one that holds its documents.`);
  const privileges: Readonly<Record<Part, readonly Privilege[]>> = {
    writer: [
      { collection: 'outbox', actions: ['insert'] },
      ...writerCollections.map((collection): Privilege => {
        return { collection, actions: ['find', 'insert', 'update', 'remove'] };
      }),
    ],
    await: awaiting,
    publisher,
    consumer,
    sweep,
    'set-up': setUp,
    worker: union([...publisher, ...consumer, ...sweep]),
    operator,
    discard,
    reprojection: reprojection(writerCollections),
    erasure: erasure(writerCollections),
  };
  return privileges[part];
}

/**
 * Returns the name of a part's role and user. Both are in the database `admin`, also in Atlas, so
 * the name includes the database that they apply to.
 */
export function roleName(part: Part, database: string): string {
  return `outgraph-${database}-${part}`;
}

function union(privileges: readonly Privilege[]): readonly Privilege[] {
  const byCollection = Map.groupBy(privileges, ({ collection }) => collection);
  return [...byCollection].map(([collection, members]) => ({
    collection,
    actions: [...new Set(members.flatMap(({ actions }) => actions))],
  }));
}
