/**
 * Creates constraints. On a label with many nodes this takes minutes, longer than a batch may take.
 * The creation therefore continues while other batches are applied, and an event that needs the
 * constraint is retried until it exists.
 */
import type { Driver } from 'neo4j-driver';
import { Neo4jError } from 'neo4j-driver';
import pRetry from 'p-retry';
import pTimeout from 'p-timeout';
import type { GraphNeeds, SchemaProblem } from './graph-needs.ts';
import { noBookmarks } from './neo4j-connect.ts';
import { translateNeo4jError } from './neo4j-errors.ts';
import { findObstacles, obstaclesText } from './neo4j-find-obstacles.ts';
import { read } from './neo4j-read.ts';
import { idConstraint, keyConstraint, readGraphSchema } from './neo4j-schema.ts';

/** A constraint to create. */
interface NewConstraint {
  readonly name: string;
  readonly statement: string;
  /** Must not be an additional label of any node; null for a relationship type. */
  readonly label: string | null;
  readonly problem: (reason: string) => SchemaProblem;
}

interface Creation {
  readonly created: Promise<SchemaProblem | undefined>;
  /** By `performance.now`. */
  readonly since: number;
}

const minimumWaitMillis = 100;

/** Creates each constraint once in this process, however many batches need it. */
export class ConstraintBuilder {
  readonly #driver: Driver;
  readonly #database: string;
  readonly #running = new Map<string, Creation>();

  constructor(driver: Driver, database: string) {
    this.#driver = driver;
    this.#database = database;
  }

  /**
   * Creates constraints one after the other, and waits up to `waitMillis` for each. Returns
   * undefined if all of them exist now. After a `constraint-building` problem, the creation
   * continues.
   *
   * @throws Fault `neo4j-unavailable`.
   */
  async build(needs: Pick<GraphNeeds, 'labels' | 'types'>, waitMillis: number): Promise<SchemaProblem | undefined> {
    for (const constraint of newConstraints(needs)) {
      const { created, since } = this.#start(constraint, needs);
      // Include the time that an earlier event has waited for the same constraint.
      const millis = Math.max(minimumWaitMillis, waitMillis - (performance.now() - since));
      const problem = await pTimeout(created, { milliseconds: millis, fallback: () => this.#building(constraint) });
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  #start(constraint: NewConstraint, needs: Pick<GraphNeeds, 'labels'>): Creation {
    const running = this.#running.get(constraint.name);
    if (running !== undefined) return running;
    const created = this.#create(constraint, needs).finally(() => this.#running.delete(constraint.name));
    // Waiting callers handle the error; there may be none.
    created.catch(() => undefined);
    const started = { created, since: performance.now() };
    this.#running.set(constraint.name, started);
    return started;
  }

  async #create(
    { label, statement, problem }: NewConstraint,
    needs: Pick<GraphNeeds, 'labels'>,
  ): Promise<SchemaProblem | undefined> {
    if (label !== null) {
      const owner = await this.#additionalOwner(label);
      // Another process may have created the constraint meanwhile, and written nodes with it.
      if (owner !== undefined && !(await this.#isKeyed(label)))
        return {
          code: 'label-keyed',
          message: `The label ${label} cannot get a key: ${owner} lists a node that has it as an additional label.`,
        };
    }
    const reason = await tryToCreate(this.#driver, this.#database, statement);
    if (reason === undefined) return undefined;
    const refused = problem(reason);
    // If the user may not list indexes, report the problem without them.
    const obstacles = await findObstacles(this.#driver, this.#database, needs).catch(() => []);
    return { ...refused, message: `${refused.message}${obstaclesText(obstacles)}` };
  }

  /** An aggregate that lists a node with this label: an additional one, as it has no key yet. */
  async #additionalOwner(label: string): Promise<string | undefined> {
    const owner = 'n._outgraphOwner';
    const statement = `MATCH (n:\`${label}\`) WHERE ${owner} IS NOT NULL RETURN ${owner} AS owner LIMIT 1`;
    const [found] = await read<{ owner: string }>(this.#driver, this.#database, statement, {});
    return found?.owner;
  }

  async #isKeyed(label: string): Promise<boolean> {
    return (await readGraphSchema(this.#driver, this.#database)).keys.has(label);
  }

  async #building({ name }: NewConstraint): Promise<SchemaProblem> {
    const statement =
      'SHOW INDEXES YIELD name, populationPercent WHERE name = $name RETURN populationPercent AS percent';
    const [index] = await read<{ percent: number }>(this.#driver, this.#database, statement, { name });
    const done = index === undefined ? '' : `, ${Math.floor(index.percent)} % done`;
    return { code: 'constraint-building', message: `The constraint ${name} is being built${done}.` };
  }
}

function newConstraints({ labels, types }: Pick<GraphNeeds, 'labels' | 'types'>): readonly NewConstraint[] {
  return [
    ...[...labels].map(([label, names]): NewConstraint => {
      const key = names.map((name) => `n.\`${name}\``).join(', ');
      const text = `The label ${label} has no uniqueness constraint on (${names.join(', ')}) and none could be created`;
      return {
        name: keyConstraint(label),
        statement:
          `CREATE CONSTRAINT ${keyConstraint(label)} IF NOT EXISTS ` +
          `FOR (n:\`${label}\`) REQUIRE (${key}) IS UNIQUE`,
        label,
        problem: (reason) => ({ code: 'label-not-declared', message: `${text}: ${reason}.` }),
      };
    }),
    ...[...types].map((type): NewConstraint => {
      const missing = 'no uniqueness constraint on _outgraphId';
      const text = `The relationship type ${type} has ${missing} and none could be created`;
      return {
        name: idConstraint(type),
        statement:
          `CREATE CONSTRAINT ${idConstraint(type)} IF NOT EXISTS FOR ` +
          `()-[r:\`${type}\`]-() REQUIRE r._outgraphId IS UNIQUE`,
        label: null,
        problem: (reason) => ({ code: 'type-not-declared', message: `${text}: ${reason}.` }),
      };
    }),
  ];
}

/**
 * Two transactions that create constraints can wait for each other in a way that Neo4j does not
 * recognise as a deadlock: one holds the label's lock, and the other's index waits until all older
 * transactions have ended. Each therefore gives up after a while and retries with more time: an
 * index over millions of nodes needs minutes.
 */
const firstTimeoutMillis = 3_000;
const maxTimeoutMillis = 1_800_000;
const creationRetries = { retries: 10, minTimeout: 50, factor: 3, maxTimeout: 5_000, randomize: true };

/** Errors of a creation that another transaction blocked. */
const transientCodes =
  /^Neo\.(TransientError\..*|ClientError\.Transaction\.(Terminated|LockClientStopped|TransactionTimedOut.*))$/;

/** An interrupted creation leaves its index behind briefly. An index that stays is the user's. */
const leftoverIndexCodes = /^Neo\.ClientError\.Schema\.Index(WithName)?AlreadyExists$/;
const leftoverIndexRetries = 4;

/** Why a constraint can never be created; undefined if it exists now. */
async function tryToCreate(driver: Driver, database: string, statement: string): Promise<string | undefined> {
  try {
    await runSchemaStatement(driver, database, statement);
    return undefined;
  } catch (error) {
    const code = error instanceof Neo4jError ? error.code : '';
    if (code === 'Neo.ClientError.Security.Forbidden') return 'the consumer may not change the schema';
    if (
      code === 'Neo.ClientError.Schema.ConstraintCreationFailed' ||
      code === 'Neo.DatabaseError.Schema.ConstraintCreationFailed'
    ) {
      return 'the graph holds nodes with the same key';
    }
    if (/^Neo\.ClientError\.Schema\..*AlreadyExists$/.test(code)) {
      return 'an index or constraint of another kind already has its name or properties';
    }
    throw translateNeo4jError(error);
  }
}

/**
 * Runs a statement that changes the schema, and retries it while another one blocks it.
 *
 * @throws the driver's error.
 */
export async function runSchemaStatement(driver: Driver, database: string, statement: string): Promise<void> {
  const run = (attempt: number) => {
    const timeout = Math.min(firstTimeoutMillis * 3 ** (attempt - 1), maxTimeoutMillis);
    return driver.executeQuery(statement, {}, { database, ...noBookmarks, transactionConfig: { timeout } });
  };
  try {
    await pRetry(run, {
      ...creationRetries,
      shouldRetry: ({ error, attemptNumber }) =>
        error instanceof Neo4jError &&
        (transientCodes.test(error.code) ||
          (leftoverIndexCodes.test(error.code) && attemptNumber <= leftoverIndexRetries)),
    });
  } catch (error) {
    // IF NOT EXISTS checks before it waits for the lock: another transaction may have created the
    // constraint meanwhile.
    if (error instanceof Neo4jError && error.code === 'Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists')
      return;
    throw error;
  }
}
