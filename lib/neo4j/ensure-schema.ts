/**
 * Keeps what is known of the graph's constraints over warm calls, and makes sure that a batch finds those it needs. Read again after a
 * while, because a person may have changed them: without its constraint a label must not be written.
 */
import type { Driver } from 'neo4j-driver';
import type { GraphNeeds, SchemaProblem, SchemaProblems } from '../apply/graph-needs.ts';
import { createConstraints, type GraphSchema, readGraphSchema } from './graph-schema.ts';

const schemaMaxAgeMillis = 60_000;

/** Makes the constraints that `needs` lacks, where it may, and names what stands in the way of the rest. */
export type EnsureSchema = (needs: readonly GraphNeeds[]) => Promise<readonly (SchemaProblem | undefined)[]>;

/**
 * A function that answers for each of several needs: undefined if all its constraints stand, or the problem.
 *
 * @param now milliseconds of a clock.
 * @throws Fault `neo4j-unavailable`.
 */
export function createEnsureSchema(driver: Driver, database: string, now: () => number): EnsureSchema {
  let known: { readonly schema: GraphSchema; readonly readAt: number } | undefined;

  const refresh = async () => {
    known = { schema: await readGraphSchema(driver, database), readAt: now() };
    return known.schema;
  };

  return async (needs) => {
    let schema = known !== undefined && now() - known.readAt < schemaMaxAgeMillis ? known.schema : await refresh();
    let refused: SchemaProblems = { labels: new Map(), types: new Map() };
    const missing = missingConstraints(schema, needs);
    if (missing.labels.size + missing.types.size > 0) {
      refused = await createConstraints(driver, database, missing);
      schema = await refresh();
    }
    return needs.map((need) => findProblem(schema, need, refused));
  };
}

/** A label without any constraint of ours or on the wanted key; the first in the batch to need it says its key. */
function missingConstraints(schema: GraphSchema, needs: readonly GraphNeeds[]): GraphNeeds {
  const labels = new Map<string, readonly string[]>();
  const types = new Set<string>();
  for (const need of needs) {
    for (const [label, names] of need.labels) {
      if (labels.has(label) || schema.keys.has(label) || hasKey(schema, label, names)) continue;
      labels.set(label, names);
    }
    for (const type of need.types) if (!schema.types.has(type)) types.add(type);
  }
  return { labels, types };
}

/** All that stands in the way of what is needed, as the schema is; nothing is made. */
export function findProblems(schema: GraphSchema, { labels, types }: GraphNeeds): readonly SchemaProblem[] {
  const single: readonly GraphNeeds[] = [
    ...[...labels].map((label) => ({ labels: new Map([label]), types: new Set<string>() })),
    ...[...types].map((type) => ({ labels: new Map<string, readonly string[]>(), types: new Set([type]) })),
  ];
  const nothing: SchemaProblems = { labels: new Map(), types: new Map() };
  return single.flatMap((need) => findProblem(schema, need, nothing) ?? []);
}

function findProblem(schema: GraphSchema, need: GraphNeeds, refused: SchemaProblems): SchemaProblem | undefined {
  for (const [label, names] of need.labels) {
    const key = schema.keys.get(label);
    if (key !== undefined && key.join() !== names.join()) {
      return {
        code: 'key-mismatch',
        message: `The label ${label} is keyed by ${key.join(', ')}, not by ${names.join(', ')}.`,
      };
    }
    if (key === undefined && !hasKey(schema, label, names)) {
      return (
        refused.labels.get(label) ?? {
          code: 'label-not-declared',
          message: `The label ${label} has no uniqueness constraint on (${names.join(', ')}).`,
        }
      );
    }
  }
  for (const type of need.types) {
    if (schema.types.has(type)) continue;
    return (
      refused.types.get(type) ?? {
        code: 'type-not-declared',
        message: `The relationship type ${type} has no uniqueness constraint on _outgraphId.`,
      }
    );
  }
  return undefined;
}

/** Whether a label has a uniqueness constraint on this key. */
export function hasKey(schema: GraphSchema, label: string, names: readonly string[]): boolean {
  return (schema.labels.get(label) ?? []).some((key) => key.join() === names.join());
}
