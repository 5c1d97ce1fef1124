/**
 * Sets up the graph: the constraints of the registry and of every declared label and type, the
 * declared indexes, and the binding to its outbox. Idempotent.
 */
import type { Driver } from 'neo4j-driver';
import { Fault } from '../contract/fault.ts';
import { type RegistryKeys, withoutSource } from '../contract/registry-keys.ts';
import { registryLabel } from '../contract/subgraph.ts';
import type { GraphNeeds } from '../graph/graph-needs.ts';
import { ConstraintBuilder, runSchemaStatement } from '../graph/neo4j-build-constraints.ts';
import { findProblem, missingConstraints } from '../graph/neo4j-ensure-schema.ts';
import { withNeo4jFaults } from '../graph/neo4j-errors.ts';
import { createIndexes } from '../graph/neo4j-indexes.ts';
import { type GraphSchema, hasKey, readGraphSchema, registryNeeds } from '../graph/neo4j-schema.ts';
import type { AggregateCatalog } from '../projection/catalog.ts';
import type { IndexDeclaration } from '../projection/index-declaration.ts';
import { bindGraph, readBinding, requireOwnGraph, requireSameKind } from './neo4j-binding.ts';
import type { SetUpStep } from './set-up-step.ts';

/** Less than the time-out of the set-up's function. Constraints created by then remain. */
const buildMillis = 240_000;

/** The index with which the purge finds old tombstones: of a source, only its own. */
export function tombstoneIndexOf({ source }: RegistryKeys): { readonly name: string; readonly on: string } {
  return source === ''
    ? { name: 'outgraph_tombstones', on: 'a.deletedAt' }
    : { name: 'outgraph_source_tombstones', on: 'a.source, a.deletedAt' };
}

/**
 * Creates what is missing, and returns the outcome of each part. It does not change a graph of
 * another outbox unless `adopt` is set.
 *
 * @throws Fault `set-up-missing` that names a constraint that could not be created;
 * `graph-of-another-outbox`; `neo4j-unavailable`.
 */
export async function setUpGraph(
  driver: Driver,
  database: string,
  catalog: AggregateCatalog,
  outboxId: string,
  { adopt = false, keys = withoutSource }: { readonly adopt?: boolean; readonly keys?: RegistryKeys } = {},
): Promise<readonly SetUpStep[]> {
  const bound = await readBinding(driver, database, keys);
  requireSameKind(bound.graph, keys);
  if (bound.outboxId !== null && !adopt) requireOwnGraph(bound, outboxId, keys);
  const needs = declaredNeeds(catalog);
  const before = await readGraphSchema(driver, database);
  const first =
    findProblem(before, needs) ??
    (await new ConstraintBuilder(driver, database).build(missingConstraints(before, needs), buildMillis));
  if (first?.code === 'key-mismatch')
    throw new Fault(
      'set-up-missing',
      `${first.message} Something else in this graph uses the label: deploy a catalog without the ` +
        'aggregate type that declares it (docs/how-to/upgrade.md), or give outgraph a graph of its own.',
    );
  if (first !== undefined) throw new Fault('set-up-missing', first.message);
  // The purge finds old tombstones with this index. The set-up does not wait for it: a call that
  // waits for indexes is itself a transaction, and the index of a constraint that a consumer
  // creates at the same time waits for all older transactions.
  const { name: tombstoneIndex, on } = tombstoneIndexOf(keys);
  const tombstones = `CREATE RANGE INDEX ${tombstoneIndex} IF NOT EXISTS FOR (a:${registryLabel}) ON (${on})`;
  await withNeo4jFaults(() => runSchemaStatement(driver, database, tombstones));
  const indexes = await createIndexes(driver, database, declaredIndexes(catalog), buildMillis);
  if ('problem' in indexes) throw new Fault('set-up-missing', indexes.problem);
  await bindGraph(driver, database, outboxId, { adopt, keys });
  return [
    ...constraintSteps(needs, before),
    { what: `index ${tombstoneIndex}`, outcome: 'applied' },
    ...indexes.map(({ name, isNew, built }): SetUpStep => {
      const progress = built === 100 ? '' : ` (Neo4j is building it, ${Math.floor(built)} % done)`;
      return { what: `index ${name}${progress}`, outcome: isNew ? 'made' : 'kept' };
    }),
    { what: `id of the outbox (${outboxId})`, outcome: bindingOutcome(bound.outboxId, outboxId) },
  ];
}

function bindingOutcome(before: string | null, outboxId: string): SetUpStep['outcome'] {
  if (before === null) return 'made';
  return before === outboxId ? 'kept' : 'changed';
}

function constraintSteps({ labels, types }: GraphNeeds, before: GraphSchema): readonly SetUpStep[] {
  const outcome = (present: boolean) => (present ? 'kept' : 'made');
  return [
    ...[...labels].map(([label, names]): SetUpStep => {
      return { what: `constraint on ${label} (${names.join(', ')})`, outcome: outcome(hasKey(before, label, names)) };
    }),
    ...[...types].map((type): SetUpStep => {
      return { what: `constraint on the relationships ${type}`, outcome: outcome(before.types.has(type)) };
    }),
  ];
}

/**
 * A cheap check for a cold start: refuses a graph whose registry has no constraint.
 *
 * @throws Fault `set-up-missing` that names the command to run.
 */
export async function checkGraph(driver: Driver, database: string): Promise<void> {
  const schema = await readGraphSchema(driver, database);
  if (schema.keys.get(registryLabel)?.join() === 'key') return;
  throw new Fault(
    'set-up-missing',
    `The graph has no constraint on ${registryLabel}.key. Apply the set-up first (npx outgraph set-up).`,
  );
}

/** The indexes that the set-up creates for a catalog, each once. */
export function declaredIndexes(catalog: AggregateCatalog): readonly IndexDeclaration[] {
  const declared = [...catalog.values()].flatMap(({ declares }) => declares?.indexes ?? []);
  return [...new Map(declared.map((one) => [JSON.stringify(one), one])).values()];
}

/** The constraints that the set-up creates for a catalog. */
export function declaredNeeds(catalog: AggregateCatalog): GraphNeeds {
  const labels = new Map(registryNeeds.labels);
  const types = new Set<string>();
  const additional = new Set<string>();
  for (const { declares } of catalog.values()) {
    for (const [label, names] of Object.entries(declares?.labels ?? {})) labels.set(label, [...names].sort());
    for (const type of declares?.types ?? []) types.add(type);
  }
  return { labels, types, additional };
}
