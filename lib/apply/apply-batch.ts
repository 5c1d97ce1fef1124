/**
 * The flow around the apply transaction: keeps transactions to a size, sets aside what claims a node that another aggregate holds, and bisects a batch that
 * the graph refuses down to the culprit, so that its neighbours are applied. Knows no driver: the transaction is given to it.
 */
import { type DataFaultCode, isDataFault } from '../contract/fault.ts';
import type { AggregateState, StateOutcome, TransactionOutcome } from './aggregate-state.ts';
import { type GraphNeeds, graphNeeds, type SchemaProblem } from './graph-needs.ts';
import type { OwnershipConflict } from './settle-node.ts';

/** What applying needs from the graph's adapter. */
export interface ApplyPorts {
  /** Makes missing constraints where it may; answers for each need what stands in its way, or undefined. */
  readonly ensureSchema: (needs: readonly GraphNeeds[]) => Promise<readonly (SchemaProblem | undefined)[]>;
  /** Applies states of different aggregates in one transaction; throws a data fault if the graph refuses them for good. */
  readonly applyStates: (states: readonly AggregateState[]) => Promise<TransactionOutcome>;
}

/** What became of one aggregate's state. */
export type AggregateResult =
  | { readonly outcome: 'applied' | 'superseded' }
  | { readonly outcome: 'refused'; readonly code: DataFaultCode; readonly message: string }
  | { readonly outcome: 'conflict'; readonly conflict: OwnershipConflict };

/** Results by the aggregate's key. */
export type BatchResults = Map<string, AggregateResult>;

/** Elements in one transaction, about: bounds its memory in Neo4j and how long it holds its locks. One aggregate is never split. */
const transactionElements = 20_000;

/**
 * Applies states of different aggregates; `results` fills up as transactions commit, so that a caller knows what is settled even if this throws.
 *
 * @throws Fault that is no data fault: the rest of the batch shall be retried later.
 */
export async function applyBatch(
  states: readonly AggregateState[],
  ports: ApplyPorts,
  results: BatchResults,
): Promise<void> {
  const problems = await ports.ensureSchema(states.map((state) => graphNeeds(state.subgraph)));
  const ready: AggregateState[] = [];
  for (const [index, state] of states.entries()) {
    const problem = problems[index];
    if (problem === undefined) ready.push(state);
    else results.set(state.key, { outcome: 'refused', ...problem });
  }
  for (const chunk of chunkBySize(ready)) await applyOrBisect(chunk, ports, results, 'unknown');
}

/** Whether it is certain that the graph refuses some state of the batch. */
type Suspicion = 'unknown' | 'certain';

/** Applies the states; where the graph refuses them, halves them until the culprits stand alone. Returns how many it refused. */
async function applyOrBisect(
  states: readonly AggregateState[],
  ports: ApplyPorts,
  results: BatchResults,
  suspicion: Suspicion,
): Promise<number> {
  if (states.length === 0) return 0;
  // Known to hold a culprit: trying the whole again would only cost another transaction.
  if (suspicion === 'certain' && states.length > 1) return bisect(states, ports, results);
  try {
    await applyWithoutConflicts(states, ports, results);
    return 0;
  } catch (error) {
    if (!isDataFault(error)) throw error;
    const [only, ...others] = states;
    if (only === undefined || others.length > 0) return bisect(states, ports, results);
    results.set(only.key, { outcome: 'refused', code: error.code, message: error.message });
    return 1;
  }
}

async function bisect(states: readonly AggregateState[], ports: ApplyPorts, results: BatchResults): Promise<number> {
  const middle = Math.ceil(states.length / 2);
  const left = await applyOrBisect(states.slice(0, middle), ports, results, 'unknown');
  const right = await applyOrBisect(states.slice(middle), ports, results, left === 0 ? 'certain' : 'unknown');
  return left + right;
}

/** Applies all but those whose claims cannot be granted; each round sets aside at least one. */
async function applyWithoutConflicts(
  states: readonly AggregateState[],
  ports: ApplyPorts,
  results: BatchResults,
): Promise<void> {
  let rest = states;
  while (rest.length > 0) {
    const answer = await ports.applyStates(rest);
    if (answer.outcome === 'committed') {
      record(answer.states, results);
      return;
    }
    // A rival of the same batch may be refused itself: what the graph holds is decided first.
    const standing = answer.conflicts.filter((conflict) => conflict.standing);
    const decided = standing.length > 0 ? standing : answer.conflicts;
    const refused = new Map(decided.map((conflict) => [conflict.refused, conflict]));
    for (const [key, conflict] of refused) results.set(key, { outcome: 'conflict', conflict });
    rest = rest.filter((state) => !refused.has(state.key));
  }
}

function record(states: readonly StateOutcome[], results: BatchResults): void {
  for (const { key, outcome } of states) results.set(key, { outcome });
}

function chunkBySize(states: readonly AggregateState[]): readonly (readonly AggregateState[])[] {
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
