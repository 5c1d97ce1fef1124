/** Joins the apply to Neo4j: what the consumer needs of the graph. */
import type { Db } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import type { ConsumePorts } from '../consumer/ports.ts';
import { withinTime } from '../runtime/within-time.ts';
import { type ApplyPorts, applyBatch } from './apply-batch.ts';
import { watchSuperseded } from './examine-superseded.ts';
import { applyStates } from './neo4j-apply-states.ts';
import { createSchemaPorts } from './neo4j-ensure-schema.ts';
import { findSharers } from './neo4j-find-sharers.ts';
import { pingNeo4j } from './neo4j-ping.ts';

/** The part of the consumer's ports that is the graph. */
export type GraphPorts = Pick<ConsumePorts, 'applyBatch' | 'findSharers' | 'answers'>;

/** A graph that answers at all does so within this time. */
const answerMillis = 3_000;

export interface GraphOptions extends Pick<ApplyPorts, 'transactionElements'> {
  /** The outbox's database; left out, positions are of the caller's own making, and nothing is checked that is superseded. */
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
