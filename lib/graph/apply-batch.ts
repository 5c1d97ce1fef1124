/**
 * The flow around the apply transaction. It limits the size of transactions and sets aside claims
 * that cannot be granted. If a batch fails while Neo4j answers, it halves the batch until each
 * failing state is alone, so that the other states are applied. It uses no driver: the transaction
 * is a port.
 */
import { type DataFaultCode, describeError, Fault, isDataFault } from '../contract/fault.ts';
import type { AggregateState, StateOutcome, TransactionOutcome } from './aggregate-state.ts';
import type { Conflict } from './conflict.ts';
import { type GraphNeeds, graphNeeds, type SchemaProblem } from './graph-needs.ts';

/** The ports of `applyBatch`. */
export interface ApplyPorts {
  /** For each need: undefined if it is met, `missing` if it can be created, or the problem. */
  readonly checkSchema: (needs: readonly GraphNeeds[]) => Promise<readonly (SchemaProblem | 'missing' | undefined)[]>;
  /** Creates the missing constraints of one subgraph; undefined if all of them exist now. */
  readonly createSchema: (needs: GraphNeeds) => Promise<SchemaProblem | undefined>;
  /**
   * Applies states of different aggregates in one transaction. Throws a data fault if the graph
   * refuses them permanently.
   */
  readonly applyStates: (states: readonly AggregateState[]) => Promise<TransactionOutcome>;
  /** Overrides the approximate number of elements in one transaction. */
  readonly transactionElements?: number;
  /** Whether the graph answers a trivial query right now. */
  readonly answers: () => Promise<boolean>;
}

/** The outcome for one aggregate's state. */
export type AggregateResult =
  | { readonly outcome: 'applied' | 'superseded' }
  | { readonly outcome: 'refused'; readonly code: DataFaultCode; readonly message: string }
  | { readonly outcome: 'conflict'; readonly conflict: Conflict }
  /** Failed on its own while the graph answered. Retry it later. */
  | { readonly outcome: 'failed'; readonly fault: Fault };

/** Results by the aggregate's key. */
export type BatchResults = Map<string, AggregateResult>;

/**
 * `together`: use one transaction of any size, because states in a conflict only apply together.
 */
export interface BatchOptions {
  readonly together?: boolean;
}

/**
 * Approximate number of elements in one transaction. It bounds the transaction's memory in Neo4j
 * and how long it holds its locks. An aggregate is never split.
 */
const defaultElements = 20_000;

/** If this many states failed on their own and none was applied, the graph is at fault. */
const failuresOfGraph = 3;

/**
 * Applies states of different aggregates. Adds to `results` as transactions commit, so that the
 * caller knows the settled states even if this throws.
 *
 * @throws Fault, never a data fault, if the graph does not answer or nothing can be applied. Retry
 * the states without a result later.
 */
export async function applyBatch(
  states: readonly AggregateState[],
  ports: ApplyPorts,
  results: BatchResults,
  { together = false }: BatchOptions = {},
): Promise<void> {
  const batch = new Batch(ports, results);
  const candidates = states.map((state) => ({ state, need: graphNeeds(state.subgraph) }));
  const answers = await ports.checkSchema(candidates.map(({ need }) => need));
  const ready: AggregateState[] = [];
  const waiting: typeof candidates = [];
  for (const [index, candidate] of candidates.entries()) {
    const answer = answers[index];
    if (answer === undefined) ready.push(candidate.state);
    else if (answer === 'missing') waiting.push(candidate);
    else batch.refuse(candidate.state, answer);
  }
  const { transactionElements = defaultElements } = ports;
  if (!together) for (const chunk of chunkBySize(ready, transactionElements)) await batch.apply(chunk);
  // Creating constraints takes time, so states that need none are applied first.
  const created: AggregateState[] = [];
  for (const { state, need } of waiting) {
    const problem = await ports.createSchema(need);
    if (problem === undefined) created.push(state);
    else batch.refuse(state, problem);
  }
  if (together) await batch.apply([...ready, ...created]);
  else for (const chunk of chunkBySize(created, transactionElements)) await batch.apply(chunk);
}

/** Whether at least one state of the batch is known to fail. */
type Suspicion = 'unknown' | 'certain';

/** The state of one call. */
class Batch {
  readonly #ports: ApplyPorts;
  readonly #results: BatchResults;
  #applied = 0;
  #failed = 0;

  constructor(ports: ApplyPorts, results: BatchResults) {
    this.#ports = ports;
    this.#results = results;
  }

  async apply(states: readonly AggregateState[]): Promise<void> {
    await this.#applyOrHalve(states, 'unknown');
  }

  refuse({ key }: AggregateState, { code, message }: SchemaProblem): void {
    if (code === 'constraint-building') this.#results.set(key, { outcome: 'failed', fault: new Fault(code, message) });
    else this.#results.set(key, { outcome: 'refused', code, message });
  }

  /** Applies the states, halving them to isolate culprits. Returns the number of culprits. */
  async #applyOrHalve(states: readonly AggregateState[], suspicion: Suspicion): Promise<number> {
    if (states.length === 0) return 0;
    // At least one culprit: retrying the whole group would only cost another transaction.
    if (suspicion === 'certain' && states.length > 1) return this.#halve(states);
    try {
      await this.#applyWithoutConflicts(states);
      return 0;
    } catch (error) {
      if (!isDataFault(error) && !(await this.#isIsolable(error))) throw error;
      const [only, ...others] = states;
      if (only === undefined || others.length > 0) return this.#halve(states);
      this.#setAside(only, error);
      return 1;
    }
  }

  async #halve(states: readonly AggregateState[]): Promise<number> {
    const middle = Math.ceil(states.length / 2);
    const left = await this.#applyOrHalve(states.slice(0, middle), 'unknown');
    const right = await this.#applyOrHalve(states.slice(middle), left === 0 ? 'certain' : 'unknown');
    return left + right;
  }

  /**
   * Whether a single state may cause this fault, although it is no data fault: the graph answers.
   */
  async #isIsolable(error: unknown): Promise<boolean> {
    if (error instanceof Fault && error.code === 'credentials-refused') return false;
    return this.#ports.answers();
  }

  /** @throws the error if the graph itself seems to be at fault. */
  #setAside({ key }: AggregateState, error: unknown): void {
    if (isDataFault(error)) {
      this.#results.set(key, { outcome: 'refused', code: error.code, message: error.message });
      return;
    }
    this.#failed += 1;
    const fault = error instanceof Fault ? error : new Fault('unexpected', `Failed: ${describeError(error).reason}.`);
    this.#results.set(key, { outcome: 'failed', fault });
    if (this.#applied === 0 && this.#failed >= failuresOfGraph) throw fault;
  }

  /** Applies all states whose claims can be granted. Each round sets aside at least one. */
  async #applyWithoutConflicts(states: readonly AggregateState[]): Promise<void> {
    let rest = states;
    while (rest.length > 0) {
      const answer = await this.#ports.applyStates(rest);
      if (answer.outcome === 'committed') {
        this.#record(answer.states);
        return;
      }
      // Decide conflicts with the graph first: a rival in the same batch may be refused too.
      const inGraph = answer.conflicts.filter((conflict) => conflict.heldInGraph);
      const decided = inGraph.length > 0 ? inGraph : answer.conflicts;
      const refused = new Map(decided.map((conflict) => [conflict.refused, conflict]));
      for (const [key, conflict] of refused) this.#results.set(key, { outcome: 'conflict', conflict });
      rest = rest.filter((state) => !refused.has(state.key));
    }
  }

  #record(states: readonly StateOutcome[]): void {
    for (const { key, outcome } of states) this.#results.set(key, { outcome });
    this.#applied += states.length;
  }
}

function chunkBySize(
  states: readonly AggregateState[],
  transactionElements: number,
): readonly (readonly AggregateState[])[] {
  const chunks: AggregateState[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const state of states) {
    const elements =
      1 + (state.subgraph === null ? 0 : state.subgraph.nodes.length + state.subgraph.relationships.length);
    if (size + elements > transactionElements) {
      chunks.push([]);
      size = 0;
    }
    chunks.at(-1)?.push(state);
    size += elements;
  }
  return chunks;
}
