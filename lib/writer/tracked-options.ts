/** The options of a tracked write, and the targets and driver's options that follow from them. */
import type { Document, Filter, FindOptions, UpdateOptions } from 'mongodb';
import { Fault } from '../contract/fault.ts';
import type { RecordOptions } from './record-event.ts';
import type { StoredDocument } from './stored-document.ts';

/** The driver's options and outgraph's. */
export type Tracked<Options> = Options & RecordOptions;

/**
 * Options with which the library itself reads the server's results, whatever the client's options
 * are.
 */
export const plainResults = {
  raw: false,
  promoteValues: true,
  promoteLongs: true,
  promoteBuffers: false,
  useBigInt64: false,
  bsonRegExp: true,
} as const;

/** Options of a write that decide which documents its filter matches. Reads must use them too. */
export type Selection = Pick<UpdateOptions, 'hint' | 'let' | 'ignoreUndefined' | 'serializeFunctions' | 'checkKeys'>;

export function selection({
  hint,
  let: variables,
  ignoreUndefined,
  serializeFunctions,
  checkKeys,
}: Selection): FindOptions {
  const given = { hint, let: variables, ignoreUndefined, serializeFunctions, checkKeys };
  return Object.fromEntries(Object.entries(given).filter(([, option]) => option !== undefined));
}

/** Returns the driver's options, without outgraph's. */
export function driverOptions<Options extends RecordOptions>(options: Options): Omit<Options, keyof RecordOptions> {
  const { traceparent: _, recordUnchanged: __, ...others } = options;
  return others;
}

/** Returns the options of a write by ids. Hint and sort were only needed to find the documents. */
export function targetedOptions<Options extends RecordOptions & { hint?: unknown; sort?: unknown }>(
  options: Options,
): Omit<Options, keyof RecordOptions | 'hint' | 'sort'> {
  const { hint: _, sort: __, ...others } = driverOptions(options);
  return others as Omit<Options, keyof RecordOptions | 'hint' | 'sort'>;
}

/**
 * Resolves the target of an update: the documents that were read, if they still match. The filter
 * stays, because `$` in an update takes its position from it. With `upsert` and no such documents,
 * the target is a new document. Other documents that match by now are excluded, because they were
 * not read before.
 */
export function resolveTarget<
  Schema extends Document,
  Options extends Tracked<{ hint?: unknown; sort?: unknown; upsert?: boolean }>,
>(before: readonly StoredDocument[], filter: Filter<Schema>, options: Options) {
  const inserts = before.length === 0 && options.upsert === true;
  if (inserts) {
    const { sort: _, ...given } = driverOptions(options);
    return { target: filter, given, inserts };
  }
  const target = { $and: [withIds(idsOf(before)), filter] } as Filter<Schema>;
  return { target, given: { ...targetedOptions(options), upsert: false }, inserts };
}

export function withIds<Schema extends Document>(ids: readonly unknown[]): Filter<Schema> {
  return { _id: { $in: ids } } as Filter<Schema>;
}

export function idsOf(documents: readonly StoredDocument[]): readonly unknown[] {
  return documents.map(({ document }) => document._id);
}

/** A collation also applies to ids, so the changed documents could not be determined. */
export function refuseCollation({ collation }: { readonly collation?: unknown }): void {
  if (collation !== undefined)
    throw untracked('A write with a collation', 'read with the collation and write by _id, or give the collection one');
}

/** The writes of an aggregation pipeline would have no events. */
export function refuseWriting(pipeline: readonly Document[]): void {
  const writing = pipeline.flatMap((stage) => Object.keys(stage)).find((name) => name === '$merge' || name === '$out');
  if (writing !== undefined)
    throw untracked(`A pipeline with ${writing}`, 'read with the pipeline, and write with updateOne or insertMany');
}

export function untracked(what: string, instead: string): Fault {
  return new Fault(
    'untracked',
    `${what} is not possible on a tracked collection, because it would write without recording events: ${instead}.`,
  );
}
