/** Compares a peer's graph with its documents, element by element. */
import type { Db } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import { namesOf, type PeerName, type SymbolDocument, symbolsCollection } from './symbols.ts';

/** Numbers of wrong elements. */
export interface Differences {
  /** Documents without a node. */
  readonly missing: number;
  /** Nodes with other properties than their document. */
  readonly stale: number;
  /** Nodes whose document is deleted. */
  readonly ghosts: number;
  /** Relationships to a file that the document does not name, or missing ones. */
  readonly relationships: number;
  /** Nodes of files that no document names. */
  readonly files: number;
}

interface StoredSymbol {
  readonly id: string;
  readonly name: string | null;
  readonly revision: bigint | null;
  readonly files: readonly string[];
}

export async function findDifferences(peer: PeerName, db: Db, driver: Driver): Promise<Differences> {
  const documents = await db.collection<SymbolDocument>(symbolsCollection).find().toArray();
  const { symbol, file, definedIn } = namesOf(peer);
  const read = async <Row>(statement: string) =>
    (await driver.executeQuery(statement)).records.map((record) => record.toObject() as Row);
  const stored = await read<StoredSymbol>(
    `MATCH (s:${symbol}) RETURN s.id AS id, s.name AS name, s.revision AS revision, ` +
      `[(s)-[:${definedIn}]->(f) | f.id] AS files`,
  );
  const files = await read<{ readonly id: string }>(`MATCH (f:${file}) RETURN f.id AS id`);
  const byId = new Map(stored.map((one) => [one.id, one]));
  const known = new Set(documents.map(({ _id }) => _id));
  const named = new Set(documents.map((document) => document.file));
  const pairs = documents.flatMap((document) => {
    const node = byId.get(document._id);
    return node === undefined ? [] : [{ document, node }];
  });
  return {
    missing: documents.length - pairs.length,
    stale: pairs.filter(
      ({ document, node }) => node.name !== document.name || Number(node.revision) !== document.revision,
    ).length,
    ghosts: stored.filter(({ id }) => !known.has(id)).length,
    relationships: pairs.reduce((sum, { document, node }) => sum + wrongFiles(document.file, node.files), 0),
    files: files.filter(({ id }) => !named.has(id)).length,
  };
}

function wrongFiles(wanted: string, found: readonly string[]): number {
  return found.filter((one) => one !== wanted).length + (found.includes(wanted) ? 0 : 1);
}

export const countOf = (differences: Differences) => Object.values(differences).reduce((sum, one) => sum + one, 0);
