/** Joins the apply to Neo4j: what the consumer needs of the graph, on a connection that can be given up for a new one. */
import type { Driver } from 'neo4j-driver';
import { type ApplyPorts, applyBatch } from '../apply/apply-batch.ts';
import type { ConsumePorts } from '../consume/consume-ports.ts';
import { applyStates } from '../neo4j/apply-states.ts';
import { createEnsureSchema } from '../neo4j/ensure-schema.ts';
import { findSharers } from '../neo4j/find-sharers.ts';

/** The part of the consumer's ports that is the graph. */
export type GraphPorts = Pick<ConsumePorts, 'applyBatch' | 'findSharers'>;

/** Joins the parts on a driver, which stays the caller's to close. */
export function joinGraph(driver: Driver, database: string): GraphPorts {
  const ports: ApplyPorts = {
    ensureSchema: createEnsureSchema(driver, database, Date.now),
    applyStates: (states) => applyStates(driver, database, states),
  };
  return {
    applyBatch: (states, results) => applyBatch(states, ports, results),
    findSharers: (identities) => findSharers(driver, database, identities),
  };
}

/** A connection to the graph. */
export class GraphConnection {
  readonly #connect: () => Driver;
  readonly #database: string;
  #driver: Driver;
  #ports: GraphPorts;

  constructor(connect: () => Driver, database: string) {
    this.#connect = connect;
    this.#database = database;
    this.#driver = connect();
    this.#ports = joinGraph(this.#driver, database);
  }

  get driver(): Driver {
    return this.#driver;
  }

  get ports(): GraphPorts {
    return this.#ports;
  }

  /** Gives up connections on which a server stays silent: what waits on them ends with an error, and new ones are opened. */
  renew(): void {
    const silent = this.#driver;
    this.#driver = this.#connect();
    this.#ports = joinGraph(this.#driver, this.#database);
    // Nobody waits for a server that does not answer.
    silent.close().catch(() => undefined);
  }

  close(): Promise<void> {
    return this.#driver.close();
  }
}
