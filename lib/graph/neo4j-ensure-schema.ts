/**
 * Caches the graph's constraints across warm invocations, and ensures that a batch has those it
 * needs. The cache expires, because a user may have dropped a constraint: without it, the label
 * must not be written.
 */
import type { Driver } from 'neo4j-driver';
import type { ApplyPorts } from './apply-batch.ts';
import type { GraphNeeds, SchemaProblem } from './graph-needs.ts';
import { ConstraintBuilder } from './neo4j-build-constraints.ts';
import { type GraphSchema, hasKey, readGraphSchema } from './neo4j-schema.ts';

const schemaMaxAgeMillis = 60_000;

/**
 * Maximum number of labels and relationship types that one event may create. Each costs a
 * constraint, an index and one of Neo4j's limited number of names.
 */
export const maxCreatedByEvent = 50;

/** How long a batch waits for constraints that one of its subgraphs needs. */
const waitMillis = 10_000;

export type SchemaPorts = Pick<ApplyPorts, 'checkSchema' | 'createSchema'>;

/** @param now returns the time in milliseconds. */
export function createSchemaPorts(driver: Driver, database: string, now: () => number): SchemaPorts {
  let known: { readonly schema: GraphSchema; readonly readAt: number } | undefined;
  const builder = new ConstraintBuilder(driver, database);

  const refresh = async () => {
    known = { schema: await readGraphSchema(driver, database), readAt: now() };
    return known.schema;
  };
  const current = async () =>
    known !== undefined && now() - known.readAt < schemaMaxAgeMillis ? known.schema : refresh();

  return {
    checkSchema: async (needs) => {
      const schema = await current();
      return needs.map((need) => findProblem(schema, need) ?? (isMissing(schema, need) ? 'missing' : undefined));
    },
    createSchema: async (need) => {
      const schema = await current();
      const missing = missingConstraints(schema, need);
      const count = missing.labels.size + missing.types.size;
      if (count > maxCreatedByEvent) return tooMany(count);
      const problem = await builder.build(missing, waitMillis);
      const after = await refresh();
      return problem ?? findProblem(after, need);
    },
  };
}

/** All problems of the needs with the current schema. Creates nothing. */
export function findProblems(schema: GraphSchema, { labels, types }: GraphNeeds): readonly SchemaProblem[] {
  const none = { labels: new Map(), types: new Set<string>(), additional: new Set<string>() };
  const single: readonly GraphNeeds[] = [
    ...[...labels].map((label) => ({ ...none, labels: new Map([label]) })),
    ...[...types].map((type) => ({ ...none, types: new Set([type]) })),
  ];
  return single.flatMap((need) => findProblem(schema, need) ?? missingProblem(schema, need) ?? []);
}

/** The first problem that no new constraint can solve. */
export function findProblem(schema: GraphSchema, { labels, additional }: GraphNeeds): SchemaProblem | undefined {
  for (const [label, names] of labels) {
    const key = schema.keys.get(label);
    if (key === undefined || key.join() === names.join()) continue;
    return {
      code: 'key-mismatch',
      message: `The label ${label} is keyed by ${key.join(', ')}, not by ${names.join(', ')}.`,
    };
  }
  for (const label of additional) {
    if (!schema.keys.has(label) && !labels.has(label)) continue;
    return {
      code: 'label-keyed',
      message:
        `The additional label ${label} has a key of its own: ` +
        'only one label of a node may have a key. Use another name for the additional label.',
    };
  }
  return undefined;
}

function missingProblem(schema: GraphSchema, need: GraphNeeds): SchemaProblem | undefined {
  const missing = missingConstraints(schema, need);
  for (const [label, names] of missing.labels) {
    const message = `The label ${label} has no uniqueness constraint on (${names.join(', ')}).`;
    return { code: 'label-not-declared', message };
  }
  for (const type of missing.types) {
    const message = `The relationship type ${type} has no uniqueness constraint on _outgraphId.`;
    return { code: 'type-not-declared', message };
  }
  return undefined;
}

function isMissing(schema: GraphSchema, need: GraphNeeds): boolean {
  for (const [label, names] of need.labels) if (isLabelMissing(schema, label, names)) return true;
  for (const type of need.types) if (!schema.types.has(type)) return true;
  return false;
}

/** The constraints to create. */
export function missingConstraints(
  schema: GraphSchema,
  { labels, types }: GraphNeeds,
): Pick<GraphNeeds, 'labels' | 'types'> {
  return {
    labels: new Map([...labels].filter(([label, names]) => isLabelMissing(schema, label, names))),
    types: new Set([...types].filter((type) => !schema.types.has(type))),
  };
}

/** Whether a label has neither outgraph's constraint nor any other on the needed key. */
function isLabelMissing(schema: GraphSchema, label: string, names: readonly string[]): boolean {
  return !schema.keys.has(label) && !hasKey(schema, label, names);
}

function tooMany(count: number): SchemaProblem {
  return {
    code: 'labels-too-many',
    message:
      `The subgraph needs ${count} labels and relationship types that the graph does ` +
      `not have; one event may create ${maxCreatedByEvent}. ` +
      'Declare them with an aggregate type and run the set-up, or store the varying part in a property.',
  };
}
