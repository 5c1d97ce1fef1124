/**
 * Creates elements of a subgraph. In a variable or in the callback of `map`, TypeScript takes
 * `{ label: 'User' }` for an object with any string as its label. These functions keep the names,
 * so that they can be compared with what the aggregate type declares.
 */
import type { ProjectedKeyValue, ProjectedRelationship } from '../contract/subgraph.ts';

/**
 * Names a node by its label and key. It is an end of relationships; with `properties` beside it, it
 * is a node.
 *
 * @example
 * const user = endpoint('User', { user_id: 'u1' });
 * const node = { ...user, properties: { name: 'Ada' } };
 */
export function endpoint<Label extends string, Key extends Readonly<Record<string, ProjectedKeyValue>>>(
  label: Label,
  key: Key,
): { readonly label: Label; readonly key: Key } {
  return { label, key };
}

/**
 * Creates a relationship.
 *
 * @example
 * relationship('WORKS_AT', endpoint('User', { user_id: 'u1' }), endpoint('Team', { team_id: 't1' }), {
 *   properties: { since: 2020 },
 * });
 */
export function relationship<Type extends string, From, To>(
  type: Type,
  from: From,
  to: To,
  fields: Pick<ProjectedRelationship, 'key' | 'shared' | 'properties'> = {},
) {
  return { ...fields, type, from, to };
}
