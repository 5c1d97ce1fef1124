/**
 * Creates the indexes that aggregate types declare for their readers. The apply needs none of them,
 * so a missing one holds up no event.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Driver } from 'neo4j-driver';
import { type IndexDeclaration, indexName } from '../projection/index-declaration.ts';
import { runSchemaStatement } from './neo4j-build-constraints.ts';
import { withNeo4jFaults } from './neo4j-errors.ts';
import { read } from './neo4j-read.ts';

interface StoredIndex {
  readonly name: string;
  readonly kind: string;
  readonly entityType: 'NODE' | 'RELATIONSHIP';
  readonly names: readonly string[] | null;
  readonly properties: readonly string[] | null;
  readonly dimensions: bigint | null;
  readonly similarity: string | null;
  readonly state: string;
  readonly percent: number;
}

/** The outcome for a declared index. `built` is its population in percent. */
export interface IndexOutcome {
  readonly name: string;
  readonly isNew: boolean;
  readonly built: number;
}

const listStatement = `
SHOW INDEXES YIELD name, type, entityType, labelsOrTypes, properties, options, state, populationPercent
WHERE type <> 'LOOKUP'
RETURN name, toLower(type) AS kind, entityType, labelsOrTypes AS names, properties, state,
  populationPercent AS percent,
  options['indexConfig']['vector.dimensions'] AS dimensions,
  toLower(options['indexConfig']['vector.similarity_function']) AS similarity`;

const pollMillis = 200;

/**
 * Creates the indexes that are missing, and waits for them, up to `waitMillis` for all. After that,
 * Neo4j continues to build them. Waits by polling: a procedure that waits is a transaction, for
 * which the constraints that consumers create at the same time would wait.
 *
 * @returns their outcomes, or why one cannot be created.
 * @throws Fault `neo4j-unavailable`, `permission-denied`.
 */
export async function createIndexes(
  driver: Driver,
  database: string,
  declared: readonly IndexDeclaration[],
  waitMillis: number,
): Promise<readonly IndexOutcome[] | { readonly problem: string }> {
  if (declared.length === 0) return [];
  const before = await readIndexes(driver, database);
  const [problem] = findIndexProblems(before, declared).filter(({ isMissing }) => !isMissing);
  if (problem !== undefined) return { problem: problem.text };
  const missing = declared.filter((one) => findSame(before, one) === undefined);
  for (const one of missing) await withNeo4jFaults(() => runSchemaStatement(driver, database, createStatement(one)));
  const deadline = performance.now() + waitMillis;
  for (;;) {
    const stored = await readIndexes(driver, database);
    const outcomes = declared.map((one): IndexOutcome => {
      const { state, percent } = findSame(stored, one) ?? { state: 'POPULATING', percent: 0 };
      return { name: indexName(one), isNew: missing.includes(one), built: state === 'ONLINE' ? 100 : percent };
    });
    const [unfit] = findIndexProblems(stored, declared);
    if (unfit !== undefined) return { problem: unfit.text };
    if (outcomes.every(({ built }) => built === 100) || performance.now() > deadline) return outcomes;
    await sleep(pollMillis);
  }
}

/** A declared index that is missing, is not ready, or has another form. */
export interface IndexProblem {
  readonly isMissing: boolean;
  readonly text: string;
}

/** @throws Fault `neo4j-unavailable`, `permission-denied`. */
export async function readIndexes(driver: Driver, database: string): Promise<readonly StoredIndex[]> {
  return read<StoredIndex & Record<string, unknown>>(driver, database, listStatement, {});
}

/** Compares the declared indexes with the graph's. */
export function findIndexProblems(
  stored: readonly StoredIndex[],
  declared: readonly IndexDeclaration[],
): readonly IndexProblem[] {
  return declared.flatMap((one): readonly IndexProblem[] => {
    const name = indexName(one);
    const same = findSame(stored, one);
    if (same?.state === 'FAILED') return [{ isMissing: false, text: failedText(name) }];
    if (same !== undefined) return [];
    const other = stored.find((index) => index.name === name) ?? stored.find((index) => isOn(index, one));
    if (other === undefined) return [{ isMissing: true, text: `The index ${name} is missing.` }];
    const text =
      `The index ${name} is declared, and Neo4j has ${other.name}, which is another one of ` +
      `${other.names?.join(', ')} (${other.properties?.join(', ')}) or has other options. ` +
      `If nothing else uses it, drop it (DROP INDEX ${other.name}) and run the set-up again.`;
    return [{ isMissing: false, text }];
  });
}

function failedText(name: string): string {
  return `Neo4j could not build the index ${name}. See its failureMessage (SHOW INDEXES), and drop it.`;
}

/** The index that fulfils a declaration. If it names none, the user's own may. */
function findSame(stored: readonly StoredIndex[], declared: IndexDeclaration): StoredIndex | undefined {
  return stored.find((index) => {
    if (!isOn(index, declared)) return false;
    if (declared.name !== undefined && index.name !== declared.name) return false;
    if (declared.kind !== 'vector') return true;
    return index.dimensions === BigInt(declared.dimensions) && index.similarity === similarityOf(declared);
  });
}

/** Neo4j allows one index of a kind on the same properties. */
function isOn(index: StoredIndex, { kind, label, type, properties }: IndexDeclaration): boolean {
  return (
    index.kind === kind &&
    index.entityType === (type === undefined ? 'NODE' : 'RELATIONSHIP') &&
    index.names?.join() === (label ?? type) &&
    index.properties?.join() === properties.join()
  );
}

function similarityOf(declared: IndexDeclaration & { readonly kind: 'vector' }): string {
  return declared.similarity ?? 'cosine';
}

function createStatement(declared: IndexDeclaration): string {
  const { kind, label, type, properties } = declared;
  const pattern = type === undefined ? `(e:\`${label}\`)` : `()-[e:\`${type}\`]-()`;
  const list = properties.map((property) => `e.\`${property}\``).join(', ');
  const on = kind === 'fulltext' ? `EACH [${list}]` : `(${list})`;
  const options =
    declared.kind === 'vector'
      ? ` OPTIONS {indexConfig: {\`vector.dimensions\`: ${declared.dimensions}, ` +
        `\`vector.similarity_function\`: '${similarityOf(declared)}'}}`
      : '';
  return `CREATE ${kind.toUpperCase()} INDEX ${indexName(declared)} IF NOT EXISTS FOR ${pattern} ON ${on}${options}`;
}
