/** Connects the apply to Neo4j, for the consumer and the backfill. */
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

/** A working graph answers a ping within this time. */
const answerMillis = 3_000;

export interface GraphOptions extends Pick<ApplyPorts, 'transactionElements'> {
  /**
   * The outbox's database. Without it, positions are the caller's own, and superseded states are
   * not checked.
   */
  readonly db?: Db;
}

/** Creates the graph's ports on a driver; the caller closes the driver. */
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
    applyBatch: db === undefined ? apply : checkSuperseded(db, driver, database, ports),
    findSharers: (identities) => findSharers(driver, database, identities),
  };
}

/** A transaction's valid outcomes, and the fault of the others. */
interface Examined {
  readonly states: readonly StateOutcome[];
  readonly fault: Fault | null;
}

/**
 * Checks superseded states before they are acknowledged. First, whether the cluster can have
 * assigned the position that superseded them. Second, whether they are older than a deletion: the
 * tombstone must then be kept for as long as the outbox keeps the event.
 *
 * Applies as `applyBatch` does. A state that was superseded by a position ahead of the cluster's
 * time has no result.
 */
function checkSuperseded(db: Db, driver: Driver, database: string, ports: ApplyPorts): GraphPorts['applyBatch'] {
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
    const applyStates: ApplyPorts['applyStates'] = async (batch) => {
      const answer = await ports.applyStates(batch);
      if (answer.outcome !== 'committed') return answer;
      const examined = await examine(answer.states);
      fault ??= examined.fault;
      return { ...answer, states: examined.states };
    };
    await applyBatch(states, { ...ports, applyStates }, results, options);
    // Throw after all others have their results, so that one such aggregate does not block the
    // rest.
    if (fault !== null) throw fault;
  };
}

const keyOf = ({ key }: { readonly key: string }) => key;
