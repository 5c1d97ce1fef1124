/**
 * Recognises an update that changes only fields that the payload's schema does not read. The graph
 * cannot change then, so the documents need not be read before and after it.
 */
import type { AggregateDefinition } from '../projection/define-aggregate.ts';
import { documentId } from '../projection/define-aggregate.ts';

/** Operators that change exactly the fields that they name. */
const fieldOperators = new Set([
  '$set',
  '$unset',
  '$inc',
  '$mul',
  '$min',
  '$max',
  '$rename',
  '$setOnInsert',
  '$currentDate',
  '$push',
  '$addToSet',
  '$pop',
  '$pull',
  '$pullAll',
  '$bit',
]);

/**
 * Returns the top-level fields that the payload and the aggregate id are read from, or null if they
 * are unknown. An `id` function of the aggregate's own may read any field.
 */
export function declaredFields({ id, fields, payload }: AggregateDefinition): ReadonlySet<string> | null {
  const declared = id === documentId ? (fields ?? zodFields(payload)) : null;
  return declared === null ? null : new Set(['_id', ...declared]);
}

/** The part of a schema of zod 4 that is read here. */
interface ZodSchema {
  readonly _zod?: {
    readonly def: {
      readonly type: string;
      readonly shape?: object;
      readonly catchall?: unknown;
      readonly checks?: readonly unknown[];
    };
  };
}

/** Only a plain `z.object` ignores other fields, whatever their values are. */
function zodFields(schema: AggregateDefinition['payload']): readonly string[] | null {
  const def = schema['~standard'].vendor === 'zod' ? (schema as ZodSchema)._zod?.def : undefined;
  if (def?.type !== 'object' || def.shape === undefined) return null;
  if (def.catchall !== undefined || (def.checks ?? []).length > 0) return null;
  return Object.keys(def.shape);
}

/** Whether the update is certain to change none of these fields. */
export function isUnreadUpdate(fields: ReadonlySet<string> | null, update: unknown): boolean {
  return (
    fields !== null &&
    isPlain(update) &&
    Object.entries(update).every(
      ([operator, paths]) =>
        fieldOperators.has(operator) &&
        isPlain(paths) &&
        Object.entries(paths).every(([path, value]) => {
          const named = operator === '$rename' ? [path, value] : [path];
          return named.every((name) => typeof name === 'string' && !fields.has(name.split('.', 1)[0] as string));
        }),
    )
  );
}

/** Whether the driver sends exactly the object's own fields. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || 'toBSON' in value) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
