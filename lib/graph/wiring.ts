/** Joins the apply to Neo4j: what the consumer needs of the graph. */
import type { Db } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import type { Fault } from '../contract/fault.ts';
import type { Position } from '../contract/position.ts';
import { clockBehind, createClock } from '../outbox/mongodb-clock.ts';
import { withinTime } from '../runtime/within-time.ts';
import type { StateOutcome } from './aggregate-state.ts';
import { type ApplyPorts, applyBatch } from './apply-batch.ts';
import { applyStates } from './neo4j-apply-states.ts';
import { createSchemaPorts } from './neo4j-ensure-schema.ts';
import { findSharers } from './neo4j-find-sharers.ts';
import { pingNeo4j } from './neo4j-ping.ts';
import { noteSuperseded, readEntries } from './neo4j-superseded.ts';
import type { GraphPorts } from './ports.ts';

/** A graph that answers at all does so within this time. */
const answerMillis = 3_000;

export interface GraphOptions extends Pick<ApplyPorts, 'transactionElements'> {
  /**
   * The outbox's database; left out, positions are of the caller's own making, and nothing is checked that is
   * superseded.
   */
  readonly db?: Db;
}

/** Joins the parts on a driver, which stays the caller's to close. */
export function joinGraph(driver: Driver, database: string, { db, ...options }: GraphOptions = {}): GraphPorts {
  const ports: ApplyPorts = {
    ...options,
    ...createSchemaPorts(driver, database, Date.now),
    applyStates: (states) => applyStates(driver, database, states),
    answers: () =>
      withinTime('Neo4j', answerMillis, () => pingNeo4j(driver, database)).then(
        () => true,
        () => false,
      ),
  };
  const apply: GraphPorts['applyBatch'] = (states, results, given) => applyBatch(states, ports, results, given);
  return {
    answers: ports.answers,
    applyBatch: db === undefined ? apply : watchSuperseded(db, driver, database, ports),
    findSharers: (identities) => findSharers(driver, database, identities),
  };
}

/** What of a transaction's outcomes holds, and why the rest does not. */
interface Examined {
  readonly states: readonly StateOutcome[];
  readonly fault: Fault | null;
}

/**
 * Takes a second look at what is superseded, before it is acknowledged: whether the cluster can have given the position
 * that it lost to, and whether it is older than a deletion, which must then be remembered for as long as the outbox
 * keeps that event.
 *
 * Applies as `applyBatch` does; what lost to a position that the cluster has not come to yet has no
 * result.
 */
function watchSuperseded(db: Db, driver: Driver, database: string, ports: ApplyPorts): GraphPorts['applyBatch'] {
  const latestOf = createClock(db);
  const examine = async (states: readonly StateOutcome[]): Promise<Examined> => {
    const superseded = states.filter(({ outcome }) => outcome === 'superseded').map(({ key }) => key);
    if (superseded.length === 0) return { states, fault: null };
    const entries = await readEntries(driver, database, superseded);
    const newest = entries.reduce<Position | null>(
      (before, { position }) => (before !== null && before > position ? before : position),
      null,
    );
    if (newest === null) return { states, fault: null };
    const latest = await latestOf(newest);
    const deleted = entries.filter(({ isDeleted, position }) => isDeleted && position <= latest);
    if (deleted.length > 0) await noteSuperseded(driver, database, deleted.map(keyOf));
    const ahead = new Set(entries.filter(({ position }) => position > latest).map(keyOf));
    const fault = ahead.size === 0 ? null : clockBehind(newest, latest);
    return { states: states.filter(({ key }) => !ahead.has(key)), fault };
  };
  return async (states, results, options) => {
    let fault: Fault | null = null;
    const applyStates: ApplyPorts['applyStates'] = async (some) => {
      const answer = await ports.applyStates(some);
      if (answer.outcome !== 'committed') return answer;
      const examined = await examine(answer.states);
      fault ??= examined.fault;
      return { ...answer, states: examined.states };
    };
    await applyBatch(states, { ...ports, applyStates }, results, options);
    // After all others have their results: one aggregate with such a position holds up none of
    // them.
    if (fault !== null) throw fault;
  };
}

const keyOf = ({ key }: { readonly key: string }) => key;
