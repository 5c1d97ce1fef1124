/**
 * Writes symbols as a hand-written sink does: batches of `UNWIND … MERGE … SET`, without bookkeeping.
 * What a document listed before is not known, so a move leaves the earlier relationship.
 */
import neo4j, { type Driver } from 'neo4j-driver';
import { namesOf, type PeerName, type SymbolDocument } from './symbols.ts';

/** The newest state of a document; null if it was deleted. */
export interface Change {
  readonly id: string;
  readonly document: SymbolDocument | null;
}

export class RawGraph {
  readonly #driver: Driver;
  readonly #upsert: string;
  readonly #delete: string;
  readonly #disconnect: string;

  constructor(driver: Driver, peer: PeerName) {
    const { symbol, file, definedIn } = namesOf(peer);
    this.#driver = driver;
    this.#upsert = `
UNWIND $rows AS row
MERGE (s:${symbol} {id: row.id}) SET s += row.properties
MERGE (f:${file} {id: row.file})
MERGE (s)-[:${definedIn}]->(f)`;
    this.#delete = `UNWIND $ids AS id MATCH (s:${symbol} {id: id}) DETACH DELETE s`;
    this.#disconnect = `MATCH (:${symbol} {id: $id})-[r:${definedIn}]->() DELETE r`;
  }

  /** Applies changes in one transaction; of several changes of a document, the last. */
  async apply(changes: readonly Change[]): Promise<void> {
    const newest = [...new Map(changes.map((change) => [change.id, change])).values()];
    const rows = newest.flatMap(({ document }) => (document === null ? [] : [rowOf(document)]));
    const ids = newest.flatMap(({ id, document }) => (document === null ? [id] : []));
    const session = this.#driver.session();
    try {
      await session.executeWrite(async (tx) => {
        if (rows.length > 0) await tx.run(this.#upsert, { rows });
        if (ids.length > 0) await tx.run(this.#delete, { ids });
      });
    } finally {
      await session.close();
    }
  }

  /** Removes the relationships of a symbol, in a transaction of its own. */
  async disconnect(id: string): Promise<void> {
    await this.#driver.executeQuery(this.#disconnect, { id });
  }
}

function rowOf({ _id, round, name, file, revision }: SymbolDocument) {
  return { id: _id, file, properties: { round, name, revision: neo4j.int(revision) } };
}
