/** Which aggregate types a process may give up: those that the catalog of the set-up lacks as well. */
import type { Db } from 'mongodb';
import type { AggregateCatalog } from '../aggregates/create-catalog.ts';
import type { ConsumeLog } from '../consume/consume-ports.ts';
import { Fault } from '../contract/fault.ts';
import { readDeclaredTypes } from '../mongodb/declared-types.ts';
import { withinTime } from './within-time.ts';

export class KnownTypes {
  /** Where the types are reported that this process lacks. */
  log: Pick<ConsumeLog, 'typeUnknown'> = { typeUnknown: () => undefined };
  readonly #db: Db;
  readonly #catalog: AggregateCatalog;
  readonly #reported = new Set<string>();
  #declared: ReadonlySet<string> = new Set();

  constructor(db: Db, catalog: AggregateCatalog) {
    this.#db = db;
    this.#catalog = catalog;
  }

  /** Asks for the types of the set-up, where the catalog lacks one of these. @throws Fault `mongodb-unavailable`, `time-up`. */
  async prepare(aggregateTypes: ReadonlySet<string>, maxMillis: number): Promise<void> {
    const lacking = [...aggregateTypes].filter((type) => !this.#catalog.has(type));
    if (lacking.length === 0) return;
    this.#declared = await withinTime('MongoDB', maxMillis, () => readDeclaredTypes(this.#db));
    for (const type of lacking.filter((one) => this.#declared.has(one) && !this.#reported.has(one))) {
      this.#reported.add(type);
      this.log.typeUnknown(type);
    }
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
