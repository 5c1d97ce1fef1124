/**
 * Brings right what a verification finds, while writers write, in rounds: each verifies, and repairs what it has found.
 * As long as there are documents whose aggregates are not right, they are recorded anew through the outbox, so that an
 * event of a writer at the same moment is in order with them. Only when those are right, what has no document is
 * deleted: aggregates by an event, elements that nobody lists under their locks; before, one cannot tell what the
 * documents will list again. A round that has nothing to repair is the last one. Ended at any point, the graph is no
 * worse, and the next run goes on.
 */

import type { Position } from '../../lib/contract/position.ts';
import type { MarkedElement } from '../../lib/graph/stored-graph.ts';
import { inChunks } from '../../lib/runtime/in-chunks.ts';
import { type CapacityPorts, waitForCapacity } from '../throttle/capacity.ts';
import type { Pace } from '../throttle/pace.ts';
import type { Difference, Found, Tell } from './difference.ts';
import { TextSet } from './text-set.ts';
import type { VerifyReport } from './verify.ts';

/** An aggregate, and the names of its elements that somebody has changed. */
export interface DamagedElements {
  readonly key: string;
  readonly names: ReadonlySet<string>;
  /** Those of them that are relationships between other nodes. */
  readonly misplaced: ReadonlySet<string>;
}

/** An aggregate of the graph without a document. */
export interface GhostAggregate {
  readonly key: string;
  readonly position: Position;
}

export interface RepairPorts<Id> extends Omit<CapacityPorts, 'log'> {
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
  readonly pace: Pace;
  readonly log: RepairLog;
}

export interface RepairLog {
  readonly round: (round: number) => void;
  readonly progress: (repaired: number) => void;
  /** Events wait for the consumer, and the repair waits for them. */
  readonly waiting: () => void;
}

export interface RepairOptions {
  /**
   * With more ghosts and elements that nobody lists than this, nothing is deleted: a collection that is empty by
   * mistake must not empty the graph.
   */
  readonly maxDeleted: number;
  /** With more pending events than this, it waits, so that the users' own events do not stand in a long queue. */
  readonly maxPending: number;
  readonly chunkDocuments: number;
}

export interface RepairReport {
  /**
   * `too-many`: something would have to be deleted, and it is more than may be. `unapplied`: what was recorded waits,
   * and nothing moves.
   */
  readonly outcome: 'equal' | 'different' | 'interrupted' | 'too-many' | 'unapplied';
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

/**
 * What takes more rounds than this comes back because of something else: somebody who writes to the graph, or a fault
 * of the data.
 */
const maxRounds = 8;
/** What was recorded so often, and is found again, comes back for a reason of its own. */
const maxRecordings = 2;
/** Many at once: for each part of them the registry is walked through. */
const elementsAtOnce = 1_000;
const pollMillis = 500;
/** If nothing that was pending is settled for so long, nobody works: two minutes. */
const maxIdlePolls = 240;

/** Of what a verification has found, what would be deleted. */
export function countDeletions({ differences }: VerifyReport): number {
  return differences.ghost + differences.unowned;
}

/** Repairs in rounds. @throws Fault `mongodb-unavailable` or `neo4j-unavailable`; run it again. */
export async function repair<Id>(ports: RepairPorts<Id>, options: RepairOptions): Promise<RepairReport> {
  const done = { recorded: 0, unrecordable: 0, corrected: 0, deletionsRecorded: 0, elementsSettled: 0 };
  const recorded = new RecordedBefore();
  for (let rounds = 1; ; rounds += 1) {
    ports.log.round(rounds);
    recorded.beginRound();
    const round = new Round(ports, options, { done, recorded });
    const verified = await ports.verify(round.take);
    const report = (outcome: RepairReport['outcome']): RepairReport => ({ outcome, rounds, ...done, verified });
    if (verified.outcome === 'interrupted') return report('interrupted');
    const outcome = await round.finish();
    if (outcome === 'too-many' || outcome === 'unapplied') return report(outcome);
    if (ports.isInterrupted()) return report('interrupted');
    if (outcome === 'nothing' || rounds === maxRounds) return report(verified.outcome);
  }
}

type Mutable<Counts> = { -readonly [Name in keyof Counts]: Counts[Name] };
type Done = Mutable<Omit<RepairReport, 'outcome' | 'rounds' | 'verified'>>;

/** Which aggregates were recorded in earlier rounds, and how often. */
class RecordedBefore {
  readonly #rounds: TextSet[] = [];

  beginRound(): void {
    this.#rounds.push(new TextSet());
  }

  add(key: string): void {
    this.#rounds.at(-1)?.add(key);
  }

  /** Only of rounds that are over: a set that is asked and added to in turn is slow. */
  count(key: string): number {
    return this.#rounds.slice(0, -1).filter((round) => round.has(key)).length;
  }
}

/** What the rounds share. */
interface Rounds {
  readonly done: Done;
  readonly recorded: RecordedBefore;
}

/** A document whose aggregate is not as it should be. */
interface DamagedDocument<Id> {
  readonly aggregateType: string;
  readonly id: Id;
  readonly key: string;
  /** Elements that somebody has changed. */
  readonly names: Set<string>;
  readonly misplaced: Set<string>;
}

class Round<Id> {
  readonly #ports: RepairPorts<Id>;
  readonly #options: RepairOptions;
  readonly #done: Done;
  readonly #recordedBefore: RecordedBefore;
  readonly #documents = new Map<string, DamagedDocument<Id>>();
  readonly #ghosts: GhostAggregate[] = [];
  readonly #elements: MarkedElement[] = [];
  #deletions = 0;
  #hasRecorded = false;

  constructor(ports: RepairPorts<Id>, options: RepairOptions, { done, recorded }: Rounds) {
    this.#ports = ports;
    this.#options = options;
    this.#done = done;
    this.#recordedBefore = recorded;
  }

  /** Documents are recorded while the verification goes on. */
  readonly take = async ({ difference, subject }: Found<Id>): Promise<void> => {
    if (subject === null) return;
    if (isDeletion(difference)) this.#deletions += 1;
    if (subject.kind === 'document') {
      if (this.#recordedBefore.count(subject.key) >= maxRecordings) return;
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
    { kind, element, isMisplaced }: Difference,
  ): void {
    const fresh = { aggregateType, id, key, names: new Set<string>(), misplaced: new Set<string>() };
    const document = this.#documents.get(key) ?? fresh;
    this.#documents.set(key, document);
    if (kind !== 'changed' || element === null) return;
    document.names.add(element);
    if (isMisplaced) document.misplaced.add(element);
  }

  /** Records the last documents and waits until all are applied; where there were none, deletes. */
  async finish(): Promise<'repaired' | 'nothing' | 'too-many' | 'unapplied'> {
    await this.#record();
    if (this.#hasRecorded) return (await this.#untilApplied()) ? 'repaired' : 'unapplied';
    if (this.#ghosts.length + this.#elements.length === 0) return 'nothing';
    const { deletionsRecorded, elementsSettled } = this.#done;
    if (deletionsRecorded + elementsSettled + this.#deletions > this.#options.maxDeleted) return 'too-many';
    await this.#recordDeletions();
    if (this.#ghosts.length > 0 && !(await this.#untilApplied())) return 'unapplied';
    for (const some of inChunks(this.#elements, elementsAtOnce)) {
      if (this.#ports.isInterrupted()) break;
      this.#done.elementsSettled += await this.#ports.settleElements(some);
      await this.#repaired(some.length);
    }
    return 'repaired';
  }

  async #record(): Promise<void> {
    const documents = [...this.#documents.values()];
    this.#documents.clear();
    if (documents.length === 0 || !(await waitForCapacity(this.#ports, this.#options.maxPending))) return;
    for (const { key } of documents) this.#recordedBefore.add(key);
    const damaged = documents.filter(({ names }) => names.size > 0);
    if (damaged.length > 0) await this.#ports.correctManifests(damaged);
    this.#done.corrected += damaged.length;
    for (const [aggregateType, members] of Map.groupBy(documents, (one) => one.aggregateType)) {
      const ids = members.map(({ id }) => id);
      const { recorded, unrecordable } = await this.#ports.recordCurrentStates(aggregateType, ids);
      this.#done.recorded += recorded;
      this.#hasRecorded ||= recorded > 0;
      this.#done.unrecordable += unrecordable.length;
    }
    await this.#repaired(documents.length);
  }

  async #recordDeletions(): Promise<void> {
    for (const some of inChunks(this.#ghosts, this.#options.chunkDocuments)) {
      if (!(await waitForCapacity(this.#ports, this.#options.maxPending))) return;
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

  /**
   * What was recorded until now is settled; what writers record meanwhile has later positions. False: nobody settles
   * it.
   */
  async #untilApplied(): Promise<boolean> {
    const recordedUntil = await this.#ports.readClusterTime();
    let before: Position | null = null;
    for (let idlePolls = 0; idlePolls < maxIdlePolls; ) {
      const oldest = await this.#ports.oldestPending();
      if (oldest === null || oldest > recordedUntil || this.#ports.isInterrupted()) return true;
      idlePolls = oldest === before ? idlePolls + 1 : 0;
      before = oldest;
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
