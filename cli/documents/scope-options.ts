/** The options that limit a command to some documents, instead of all of a type. */

import { type Command, InvalidArgumentError } from 'commander';
import { BSON, type Document } from 'mongodb';
import { isAggregateId } from '../../lib/contract/outbox-event.ts';
import { collect, moment } from '../terminal/run-command.ts';

export interface ScopeOptions {
  readonly id?: readonly string[];
  readonly filter?: Document;
  readonly since?: Date;
}

/** Which documents and aggregates of a type. */
export type Scope =
  | { readonly by: 'id'; readonly aggregateIds: readonly string[] }
  | { readonly by: 'filter'; readonly filter: Document }
  | { readonly by: 'events'; readonly since: Date };

/** Adds `--id`, `--filter` and `--since`. */
export function addScopeOptions(command: Command): Command {
  return command
    .option('--id <id>', 'only the aggregate with this id; repeatable', collect(aggregateId))
    .option('--filter <json>', 'only the documents that match it, in Extended JSON', filter)
    .option('--since <time>', 'only aggregates with events since this time', moment);
}

/**
 * Null: all documents. Exits with wrong use if the options contradict each other, or if a filter or
 * an id could belong to several types.
 */
export function scopeOrExit(
  { id, filter, since }: ScopeOptions,
  types: readonly string[],
  command: Command,
): Scope | null {
  const scopes: readonly Scope[] = [
    ...(id === undefined ? [] : [{ by: 'id', aggregateIds: id } as const]),
    ...(filter === undefined ? [] : [{ by: 'filter', filter } as const]),
    ...(since === undefined ? [] : [{ by: 'events', since } as const]),
  ];
  const [scope = null] = scopes;
  if (scopes.length > 1) command.error('error: use only one of --id, --filter and --since');
  if (scope !== null && scope.by !== 'events' && types.length !== 1)
    command.error('error: --id and --filter need one TYPE: an id or a field means something else in each');
  return scope;
}

function aggregateId(text: string): string {
  if (isAggregateId(text)) return text;
  throw new InvalidArgumentError('It must have 1 to 512 bytes.');
}

function filter(text: string): Document {
  let value: unknown;
  try {
    value = BSON.EJSON.parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`It is not Extended JSON: ${error instanceof Error ? error.message : ''}`);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value) || '_bsontype' in value)
    throw new InvalidArgumentError('It must be an object, such as \'{"customer": 7}\'.');
  return value as Document;
}
