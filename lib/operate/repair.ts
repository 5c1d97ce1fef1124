/**
 * Brings right what a verification finds, while writers write, in rounds: each verifies, and repairs what it has found. As long as there are documents whose aggregates are not right, they are recorded anew through the
 * outbox, so that an event of a writer at the same moment is in order with them. Only when those are right, what has no document is deleted: aggregates by an event, elements that nobody lists under their locks; before, one
 * cannot tell what the documents will list again. A round that has nothing to repair is the last one. Ended at any point, the graph is no worse, and the next run goes on.
 */

import type { Position } from '../contract/position.ts';
import type { MarkedElement } from '../contract/standing-graph.ts';
import type { Difference, Found, Tell } from '../verify/difference.ts';
import type { VerifyReport } from '../verify/verify.ts';
import type { Pace } from './pace.ts';

/** An aggregate, and the names of its elements that somebody has changed. */
export interface DamagedElements {
  readonly key: string;
  readonly names: ReadonlySet<string>;
}

/** An aggregate of the graph without a document. */
export interface GhostAggregate {
  readonly key: string;
  readonly position: Position;
}

export interface RepairPorts<Id> {
  readonly verify: (tell: Tell<Id>) => Promise<VerifyReport>;
  /** Makes the registry say what stands, so that the next event writes these elements anew. */
  readonly correctManifests: (damaged: readonly DamagedElements[]) => Promise<void>;
  readonly recordCurrentStates: (
    aggregateType: string,
    ids: readonly Id[],
  ) => Promise<{ readonly recorded: number; readonly unrecordable: readonly unknown[] }>;
  readonly recordDeletions: (ghosts: readonly GhostAggregate[]) => Promise<void>;
  /** Returns how many were changed or removed. */
  readonly settleElements: (elements: readonly MarkedElement[]) => Promise<number>;
  readonly readClusterTime: () => Promise<Position>;
  /** Null if nothing is pending. */
  readonly oldestPending: () => Promise<Position | null>;
  /** Counts no further than `limit`. */
  readonly countPending: (limit: number) => Promise<number>;
  readonly pace: Pace;
  readonly sleep: (millis: number) => Promise<void>;
  readonly isInterrupted: () => boolean;
  readonly log: RepairLog;
}

export interface RepairLog {
  readonly round: (round: number) => void;
  readonly progress: (repaired: number) => void;
  /** Events wait for the consumer, and the repair waits for them. */
  readonly waiting: () => void;
}

export interface RepairOptions {
  /** With more ghosts and elements that nobody lists than this, nothing is deleted: a collection that is empty by mistake must not empty the graph. */
  readonly maxDeleted: number;
  /** With more pending events than this, it waits, so that the users' own events do not stand in a long queue. */
  readonly maxPending: number;
  readonly chunkDocuments: number;
}

export interface RepairReport {
  /** `too-many`: something would have to be deleted, and it is more than may be. */
  readonly outcome: 'equal' | 'different' | 'interrupted' | 'too-many';
  readonly rounds: number;
  readonly recorded: number;
  readonly unrecordable: number;
  /** Aggregates whose manifests were corrected before. */
  readonly corrected: number;
  readonly deletionsRecorded: number;
  readonly elementsSettled: number;
  /** The last verification. */
  readonly verified: VerifyReport;
}

/** What takes more rounds than this comes back because of something else: somebody who writes to the graph, or a fault of the data. */
const maxRounds = 8;
const elementsAtOnce = 200;
const pollMillis = 500;

/** Of what a verification has found, what would be deleted. */
export function countDeletions({ differences }: VerifyReport): number {
  return differences.ghost + differences.unowned;
}

/** Repairs in rounds. @throws Fault `mongodb-unavailable` or `neo4j-unavailable`; run it again. */
export async function repair<Id>(ports: RepairPorts<Id>, options: RepairOptions): Promise<RepairReport> {
  const done = { recorded: 0, unrecordable: 0, corrected: 0, deletionsRecorded: 0, elementsSettled: 0 };
  for (let rounds = 1; ; rounds += 1) {
    ports.log.round(rounds);
    const round = new Round(ports, options, done);
    const verified = await ports.verify(round.take);
    const report = (outcome: RepairReport['outcome']): RepairReport => ({ outcome, rounds, ...done, verified });
    if (verified.outcome === 'interrupted') return report('interrupted');
    const outcome = await round.finish();
    if (outcome === 'too-many') return report('too-many');
    if (ports.isInterrupted()) return report('interrupted');
    if (outcome === 'nothing' || rounds === maxRounds) return report(verified.outcome);
  }
}

type Mutable<Counts> = { -readonly [Name in keyof Counts]: Counts[Name] };
type Done = Mutable<Omit<RepairReport, 'outcome' | 'rounds' | 'verified'>>;

/** A document whose aggregate is not as it should be. */
interface DamagedDocument<Id> {
  readonly aggregateType: string;
  readonly id: Id;
  readonly key: string;
  /** Elements that somebody has changed. */
  readonly names: Set<string>;
}

class Round<Id> {
  readonly #ports: RepairPorts<Id>;
  readonly #options: RepairOptions;
  readonly #done: Done;
  readonly #documents = new Map<string, DamagedDocument<Id>>();
  readonly #ghosts: GhostAggregate[] = [];
  readonly #elements: MarkedElement[] = [];
  #deletions = 0;
  #hasRecorded = false;

  constructor(ports: RepairPorts<Id>, options: RepairOptions, done: Done) {
    this.#ports = ports;
    this.#options = options;
    this.#done = done;
  }

  /** Documents are recorded while the verification goes on. */
  readonly take = async ({ difference, subject }: Found<Id>): Promise<void> => {
    if (subject === null) return;
    if (isDeletion(difference)) this.#deletions += 1;
    if (subject.kind === 'document') {
      if (!this.#documents.has(subject.key) && this.#documents.size >= this.#options.chunkDocuments)
        await this.#record();
      this.#add(subject, difference);
    } else if (this.#ghosts.length + this.#elements.length < mostHeld(this.#options)) {
      if (subject.kind === 'aggregate') this.#ghosts.push(subject);
      else this.#elements.push(subject.element);
    }
  };

  #add(
    { key, aggregateType, id }: { readonly key: string; readonly aggregateType: string; readonly id: Id },
    { kind, element }: Difference,
  ): void {
    const document = this.#documents.get(key) ?? { aggregateType, id, key, names: new Set<string>() };
    this.#documents.set(key, document);
    if (kind === 'changed' && element !== null) document.names.add(element);
  }

  /** Records the last documents and waits until all are applied; where there were none, deletes. */
  async finish(): Promise<'repaired' | 'nothing' | 'too-many'> {
    await this.#record();
    if (this.#hasRecorded) {
      await this.#untilApplied();
      return 'repaired';
    }
    if (this.#ghosts.length + this.#elements.length === 0) return 'nothing';
    if (this.#deletions > this.#options.maxDeleted) return 'too-many';
    await this.#recordDeletions();
    if (this.#ghosts.length > 0) await this.#untilApplied();
    for (let index = 0; index < this.#elements.length && !this.#ports.isInterrupted(); index += elementsAtOnce) {
      const some = this.#elements.slice(index, index + elementsAtOnce);
      this.#done.elementsSettled += await this.#ports.settleElements(some);
      await this.#repaired(some.length);
    }
    return 'repaired';
  }

  async #record(): Promise<void> {
    const documents = [...this.#documents.values()];
    this.#documents.clear();
    if (documents.length === 0 || !(await this.#hasRoom())) return;
    this.#hasRecorded = true;
    const damaged = documents.filter(({ names }) => names.size > 0);
    if (damaged.length > 0) await this.#ports.correctManifests(damaged);
    this.#done.corrected += damaged.length;
    for (const [aggregateType, members] of Map.groupBy(documents, (one) => one.aggregateType)) {
      const ids = members.map(({ id }) => id);
      const { recorded, unrecordable } = await this.#ports.recordCurrentStates(aggregateType, ids);
      this.#done.recorded += recorded;
      this.#done.unrecordable += unrecordable.length;
    }
    await this.#repaired(documents.length);
  }

  async #recordDeletions(): Promise<void> {
    const { chunkDocuments } = this.#options;
    for (let index = 0; index < this.#ghosts.length; index += chunkDocuments) {
      if (!(await this.#hasRoom())) return;
      const some = this.#ghosts.slice(index, index + chunkDocuments);
      await this.#ports.recordDeletions(some);
      this.#done.deletionsRecorded += some.length;
      await this.#repaired(some.length);
    }
  }

  async #repaired(count: number): Promise<void> {
    const { recorded, deletionsRecorded, elementsSettled } = this.#done;
    this.#ports.log.progress(recorded + deletionsRecorded + elementsSettled);
    await this.#ports.pace(count);
  }

  /** False: interrupted. */
  #hasRoom(): Promise<boolean> {
    const { maxPending } = this.#options;
    return this.#until(async () => (await this.#ports.countPending(maxPending + 1)) <= maxPending);
  }

  /** What was recorded until now is settled; what writers record meanwhile has later positions. */
  async #untilApplied(): Promise<void> {
    const recordedUntil = await this.#ports.readClusterTime();
    await this.#until(async () => {
      const oldest = await this.#ports.oldestPending();
      return oldest === null || oldest > recordedUntil;
    });
  }

  async #until(isSo: () => Promise<boolean>): Promise<boolean> {
    while (!this.#ports.isInterrupted()) {
      if (await isSo()) return true;
      this.#ports.log.waiting();
      await this.#ports.sleep(pollMillis);
    }
    return false;
  }
}

/** Single elements and ghosts are held until all are counted: so many, and the others come up in the next round. */
function mostHeld({ maxDeleted }: RepairOptions): number {
  return maxDeleted + 10_000;
}

function isDeletion({ kind }: Difference): boolean {
  return kind === 'ghost' || kind === 'unowned';
}
