/**
 * XMem's users: `{ _id, user_id }` becomes the node `User {user_id}`. Its events are relationships
 * of aggregates of their own (`memory-event`).
 */
import { z } from 'zod';
import { defineAggregate, documentId } from '../../exports/outgraph.ts';
import { nameText } from './fields.ts';

const memoryUserState = z.object({ user_id: nameText });

/**
 * A user of the temporal memory.
 *
 * @example
 * await trackCollection(client, db, memoryUser).insertOne({ user_id: 'ada' });
 */
export const memoryUser = defineAggregate({
  type: 'memory-user',
  collection: 'memory_users',
  id: documentId,
  payload: memoryUserState,
  declares: { labels: { User: ['user_id'] }, types: [] },
  project: (user) => ({
    nodes: [{ label: 'User', key: { user_id: user.user_id } }],
    relationships: [],
  }),
});
