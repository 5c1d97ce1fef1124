/** Which aggregate types a process may give up: those that the catalog of the set-up lacks as well. */
import type { Db } from 'mongodb';
import { Fault } from '../contract/fault.ts';
import type { AggregateCatalog } from '../projection/catalog.ts';
import { withinTime } from '../runtime/within-time.ts';
import { readDeclaredTypes } from '../set-up/mongodb-declared-types.ts';

export class KnownTypes {
  readonly #db: Db;
  readonly #catalog: AggregateCatalog;
  readonly #returned = new Set<string>();
  #declared: ReadonlySet<string> = new Set();

  constructor(db: Db, catalog: AggregateCatalog) {
    this.#db = db;
    this.#catalog = catalog;
  }

  /**
   * Asks for the types of the set-up if the catalog lacks one of these, and returns those that only the set-up knows,
   * each once.
   *
   * @throws Fault `mongodb-unavailable`, `time-up`.
   */
  async prepare(aggregateTypes: ReadonlySet<string>, maxMillis: number): Promise<readonly string[]> {
    const lacking = [...aggregateTypes].filter((type) => !this.#catalog.has(type));
    if (lacking.length === 0) return [];
    this.#declared = await withinTime('MongoDB', maxMillis, () => readDeclaredTypes(this.#db));
    const fresh = lacking.filter((type) => this.#declared.has(type) && !this.#returned.has(type));
    for (const type of fresh) this.#returned.add(type);
    return fresh;
  }

  /** @throws Fault `catalog-outdated` for a type that only the set-up knows. */
  requireKnown(aggregateType: string): void {
    if (this.#catalog.has(aggregateType) || !this.#declared.has(aggregateType)) return;
    throw new Fault(
      'catalog-outdated',
      `This process has no aggregate "${aggregateType}" in its catalog, and the set-up had: deploy the newer version, or start the worker with its catalog (OUTGRAPH_CATALOG). The events of the type stay pending.`,
    );
  }
}
