/**
 * Distinguishes aggregate types that only the set-up's catalog has (their events are retried) from
 * types that no catalog has (their events are dead).
 */
import type { Db } from 'mongodb';
import { Fault } from '../contract/fault.ts';
import type { AggregateCatalog } from '../projection/catalog.ts';
import { withinTime } from '../runtime/within-time.ts';
import { readDeclaredTypes } from '../set-up/mongodb-declared-types.ts';

export class KnownTypes {
  readonly #db: Db;
  readonly #catalog: AggregateCatalog;
  readonly #reported = new Set<string>();
  #declared: ReadonlySet<string> = new Set();

  constructor(db: Db, catalog: AggregateCatalog) {
    this.#db = db;
    this.#catalog = catalog;
  }

  /**
   * Reads the set-up's types if the catalog lacks one of the given types. Returns the types that
   * only the set-up knows, each only once.
   *
   * @throws Fault `mongodb-unavailable`, `time-up`.
   */
  async prepare(aggregateTypes: ReadonlySet<string>, maxMillis: number): Promise<readonly string[]> {
    const missing = [...aggregateTypes].filter((type) => !this.#catalog.has(type));
    if (missing.length === 0) return [];
    this.#declared = await withinTime('MongoDB', maxMillis, () => readDeclaredTypes(this.#db));
    const unreported = missing.filter((type) => this.#declared.has(type) && !this.#reported.has(type));
    for (const type of unreported) this.#reported.add(type);
    return unreported;
  }

  /** @throws Fault `catalog-outdated` if only the set-up knows the type. */
  requireKnown(aggregateType: string): void {
    if (this.#catalog.has(aggregateType) || !this.#declared.has(aggregateType)) return;
    throw new Fault(
      'catalog-outdated',
      `This process's catalog lacks aggregate type "${aggregateType}", but the set-up's catalog had ` +
        'it. Deploy the newer version, or start the worker with that catalog (OUTGRAPH_CATALOG). ' +
        'Events of this type stay pending until then.',
    );
  }
}
