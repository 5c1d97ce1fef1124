/**
 * What each part may do in MongoDB, as data: a role for each, from which the roles of a self-hosted set, the commands
 * for Atlas and the tables in `docs/explanation/security.md` are made. Nothing here can be left out: a test takes away each action
 * in turn, and its part fails.
 */

/** Everything that a role grants is on one collection; none reaches the database as a whole, or the cluster. */
export interface Privilege {
  readonly collection: string;
  readonly actions: readonly Action[];
}

/** MongoDB's names; each has one in Atlas. */
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

/** Whoever works on the database with a user of its own. */
export const parts = [
  'writer',
  'publisher',
  'consumer',
  'sweep',
  'set-up',
  'worker',
  'operator',
  'discard',
  'reprojection',
] as const;
export type Part = (typeof parts)[number];

/** Every part that reaches the graph compares the outbox's id with the one in the graph. */
const identity: Privilege = { collection: 'outboxIdentity', actions: ['find'] };

const publisher: readonly Privilege[] = [
  // The tail, the backlog by index, and whether the set-up was applied.
  { collection: 'outbox', actions: ['find', 'changeStream', 'listIndexes'] },
  { collection: 'outboxCheckpoints', actions: ['find', 'insert', 'update'] },
];

const consumer: readonly Privilege[] = [
  // The fetch, the acknowledgement, the mark of the dead.
  { collection: 'outbox', actions: ['find', 'update', 'listIndexes'] },
  identity,
  { collection: 'outboxTrials', actions: ['find', 'insert', 'update', 'remove'] },
  { collection: 'outboxConflicts', actions: ['find', 'insert', 'update', 'remove'] },
];

const sweep: readonly Privilege[] = [
  // It inserts nothing but its canaries.
  { collection: 'outbox', actions: ['find', 'insert', 'update', 'listIndexes'] },
  identity,
  { collection: 'outboxCheckpoints', actions: ['find', 'insert', 'update'] },
];

/** It makes collections and indexes, and the outbox's id; it reads no other document. */
const setUp: readonly Privilege[] = [
  { collection: 'outbox', actions: ['createCollection', 'collMod', 'listIndexes', 'createIndex', 'dropIndex'] },
  { collection: 'outboxIdentity', actions: ['find', 'insert', 'update'] },
  { collection: 'outboxCheckpoints', actions: ['createCollection'] },
  { collection: 'outboxTrials', actions: ['createCollection', 'createIndex'] },
  { collection: 'outboxConflicts', actions: ['createCollection', 'createIndex'] },
  { collection: 'outboxDiscarded', actions: ['createCollection', 'createIndex'] },
];

/**
 * It looks at everything of outgraph's, follows events as they are settled, brings dead events back to pending, and
 * clears what was counted against them. It inserts and removes no event.
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
 * Whoever discards dead events. Apart from the operator, because it is seldom done, and because MongoDB grants `remove`
 * on whole documents: who has it could remove a pending event, which nothing would ever bring back. It cannot read,
 * change or remove what was discarded.
 */
const discard: readonly Privilege[] = [
  { collection: 'outbox', actions: ['find', 'remove', 'listIndexes'] },
  identity,
  { collection: 'outboxDiscarded', actions: ['insert', 'listIndexes'] },
];

/**
 * Whoever records documents anew: it reads them, writes them for a moment (which their validators would refuse) so that
 * no writer can come between, and notes how far it is. Apart from the operator, because it reads every document.
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
 * A role on a collection without a name would be one on all of them; and a writer that had `outbox` for its own could
 * rewrite history.
 */
const collectionPattern = /^(?!outbox(Identity|Checkpoints|Trials|Conflicts|Discarded)?$)(?!system\.)[A-Za-z_][\w.-]*$/;

/**
 * What a part may do.
 *
 * @param writerCollections the writer's own collections, which it reads and writes; an event it may only insert.
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
    publisher,
    consumer,
    sweep,
    'set-up': setUp,
    worker: union([...publisher, ...consumer, ...sweep]),
    operator,
    discard,
    reprojection: reprojection(writerCollections),
  };
  return privileges[part];
}

/**
 * The name of a part's role, and of its user: both are in the database `admin`, in Atlas as well, and so name the
 * database that they are about.
 */
export function roleName(part: Part, database: string): string {
  return `outgraph-${database}-${part}`;
}

function union(privileges: readonly Privilege[]): readonly Privilege[] {
  const byCollection = Map.groupBy(privileges, ({ collection }) => collection);
  return [...byCollection].map(([collection, some]) => ({
    collection,
    actions: [...new Set(some.flatMap(({ actions }) => actions))],
  }));
}
