/**
 * The data of all benchmarks: symbols of a code base. Each is an aggregate that owns one node with
 * four properties, and its relationship to one of fifty files.
 */
import { randomBytes } from 'node:crypto';
import type { Position } from '../lib/contract/position.ts';
import type { ProjectedSubgraph } from '../lib/contract/subgraph.ts';
import type { AggregateState } from '../lib/graph/aggregate-state.ts';
import { readSubgraph } from '../lib/projection/read-subgraph.ts';
import { upsertEvent } from '../test/support/outbox-event.ts';

/** One symbol, as a row of a source database. */
export interface SymbolRow {
  readonly id: string;
  readonly file: string;
  readonly properties: Readonly<Record<string, string | bigint>>;
}

const files = 50;

/** Creates `count` symbols. `group` names them, and distinguishes them from all others. */
export function symbolRows(group: string, count: number): readonly SymbolRow[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${group}-${index}`,
    file: `${group}-file-${index % files}`,
    properties: { name: `symbol ${index}`, kind: 'function', line: BigInt(index), revision: group },
  }));
}

/** Labels and types for one benchmark. */
export class SymbolGraph {
  readonly #suffix = randomBytes(3).toString('hex');
  readonly labels: ReadonlyMap<string, readonly string[]> = new Map(
    ['Symbol', 'File', 'RawSymbol', 'RawFile'].map((name) => [this.label(name), ['id']]),
  );
  readonly types: ReadonlySet<string> = new Set([this.label('DEFINED_IN')]);
  readonly additional: ReadonlySet<string> = new Set();

  label(name: string): string {
    return `${name}_${this.#suffix}`;
  }

  /** The aggregate id of a symbol. */
  aggregateId(id: string): string {
    return `${this.#suffix}-${id}`;
  }

  subgraph({ id, file, properties }: SymbolRow): ProjectedSubgraph {
    const node = { label: this.label('Symbol'), key: { id } };
    const to = { label: this.label('File'), key: { id: file } };
    const relationship = { type: this.label('DEFINED_IN'), from: node, to, properties: { revision: 'r1' } };
    return { nodes: [{ ...node, properties }], relationships: [relationship] };
  }

  /** The pending event of one symbol. */
  event(row: SymbolRow): ReturnType<typeof upsertEvent> {
    return upsertEvent(this.subgraph(row), { aggregateId: this.aggregateId(row.id) });
  }

  state(row: SymbolRow, position: Position): AggregateState {
    return { key: `graph:${this.aggregateId(row.id)}`, position, subgraph: readSubgraph(this.subgraph(row)) };
  }

  /**
   * The statement that users of the Neo4j Kafka connector write: one for a batch of rows, without
   * any guard.
   */
  get rawStatement(): string {
    return `
UNWIND $rows AS row
MERGE (s:${this.label('RawSymbol')} {id: row.id}) SET s += row.properties
MERGE (f:${this.label('RawFile')} {id: row.file})
MERGE (s)-[r:${this.label('RAW_DEFINED_IN')}]->(f) SET r.revision = 'r1'`;
  }
}
