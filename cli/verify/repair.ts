/**
 * Repairs the differences that a verification finds, while writers write. Works in rounds: each
 * round verifies and repairs the differences. First, it records documents with wrong aggregates
 * through the outbox, in order with the writers' concurrent events. Once their aggregates are
 * correct, it deletes ghosts by events, and unlisted elements under their locks. Before that, it is
 * unknown what the documents will list. The last round finds nothing to repair. An interruption
 * leaves the graph no worse, and the next run continues.
 */

import type { Position } from '../../lib/contract/position.ts';
import type { MarkedElement } from '../../lib/graph/stored-graph.ts';
import { inChunks } from '../../lib/runtime/in-chunks.ts';
import { type CapacityPorts, waitForCapacity } from '../throttle/capacity.ts';
import type { Pace } from '../throttle/pace.ts';
import type { Difference, Found, OnDifference } from './difference.ts';
import type { DamagedAggregate } from './neo4j-correct-manifests.ts';
import { TextSet } from './text-set.ts';
import type { VerifyReport } from './verify.ts';

/** An aggregate of the graph without a document. */
export interface GhostAggregate {
  readonly key: string;
  readonly position: Position;
}

export interface RepairPorts<Id> extends Omit<CapacityPorts, 'log'> {
  readonly verify: (onDifference: OnDifference<Id>) => Promise<VerifyReport>;
  /**
   * Corrects the registry to match the graph, so that the next event writes these elements again.
   */
  readonly correctManifests: (damaged: readonly DamagedAggregate[]) => Promise<void>;
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
  /** The repair waits for the consumer. */
  readonly waiting: () => void;
}

export interface RepairOptions {
  /**
   * Deletes nothing if there are more ghosts and unlisted elements, so that an empty collection
   * does not empty the graph.
   */
  readonly maxDeleted: number;
  /** Waits while more events are pending, so that the users' own events are not delayed. */
  readonly maxPending: number;
  readonly chunkDocuments: number;
}

export interface RepairReport {
  /**
   * `too-many`: it would delete more than `maxDeleted`. `unapplied`: recorded events are pending,
   * and none is settled.
   */
  readonly outcome: 'equal' | 'different' | 'interrupted' | 'too-many' | 'unapplied';
  readonly rounds: number;
  readonly recorded: number;
  readonly unrecordable: number;
  /** Aggregates whose manifests were corrected. */
  readonly corrected: number;
  readonly deletionsRecorded: number;
  readonly elementsSettled: number;
  /** The last verification. */
  readonly verified: VerifyReport;
}

/** More rounds would not help: another program writes to the graph, or the data is at fault. */
const maxRounds = 8;
/** If an aggregate is still different after this many recordings, the cause is a different one. */
const maxRecordings = 2;
/** Large, because each chunk reads the whole registry. */
const elementsAtOnce = 1_000;
const pollMillis = 500;
/** After two minutes without a settled event, the consumer is not working. */
const maxIdlePolls = 240;

/** The number of ghosts and elements in a verification that would be deleted. */
export function countDeletions({ differences }: VerifyReport): number {
  return differences.ghost + differences.unowned;
}

/** Repairs in rounds. @throws Fault `mongodb-unavailable` or `neo4j-unavailable`; run it again. */
export async function repair<Id>(ports: RepairPorts<Id>, options: RepairOptions): Promise<RepairReport> {
  const done = { recorded: 0, unrecordable: 0, corrected: 0, deletionsRecorded: 0, elementsSettled: 0 };
  const recorded = new RecordedBefore();
  for (let rounds = 1; ; rounds += 1) {
    ports.log.round(rounds);
    recorded.startRound();
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

/** Counts in how many earlier rounds each aggregate was recorded. */
class RecordedBefore {
  readonly #rounds: TextSet[] = [];

  startRound(): void {
    this.#rounds.push(new TextSet());
  }

  add(key: string): void {
    this.#rounds.at(-1)?.add(key);
  }

  /** Counts completed rounds only: alternating reads and writes of a set are slow. */
  count(key: string): number {
    return this.#rounds.slice(0, -1).filter((round) => round.has(key)).length;
  }
}

/** State shared by the rounds. */
interface Rounds {
  readonly done: Done;
  readonly recorded: RecordedBefore;
}

/** A document with a wrong aggregate. */
interface DamagedDocument<Id> {
  readonly aggregateType: string;
  readonly id: Id;
  readonly key: string;
  /** Elements that another program has changed. */
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

  /** Records documents during the verification. */
  readonly take = async ({ difference, subject }: Found<Id>): Promise<void> => {
    if (subject === null) return;
    if (isDeletion(difference)) this.#deletions += 1;
    if (subject.kind === 'document') {
      if (this.#recordedBefore.count(subject.key) >= maxRecordings) return;
      if (!this.#documents.has(subject.key) && this.#documents.size >= this.#options.chunkDocuments)
        await this.#record();
      this.#add(subject, difference);
    } else if (this.#ghosts.length + this.#elements.length < maxHeld(this.#options)) {
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

  /** Records the last documents and waits until all are applied. If there were none, it deletes. */
  async finish(): Promise<'repaired' | 'nothing' | 'too-many' | 'unapplied'> {
    await this.#record();
    if (this.#hasRecorded) return (await this.#untilApplied()) ? 'repaired' : 'unapplied';
    if (this.#ghosts.length + this.#elements.length === 0) return 'nothing';
    const { deletionsRecorded, elementsSettled } = this.#done;
    if (deletionsRecorded + elementsSettled + this.#deletions > this.#options.maxDeleted) return 'too-many';
    await this.#recordDeletions();
    if (this.#ghosts.length > 0 && !(await this.#untilApplied())) return 'unapplied';
    for (const chunk of inChunks(this.#elements, elementsAtOnce)) {
      if (this.#ports.isInterrupted()) break;
      this.#done.elementsSettled += await this.#ports.settleElements(chunk);
      await this.#repaired(chunk.length);
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
    for (const chunk of inChunks(this.#ghosts, this.#options.chunkDocuments)) {
      if (!(await waitForCapacity(this.#ports, this.#options.maxPending))) return;
      await this.#ports.recordDeletions(chunk);
      this.#done.deletionsRecorded += chunk.length;
      await this.#repaired(chunk.length);
    }
  }

  async #repaired(count: number): Promise<void> {
    const { recorded, deletionsRecorded, elementsSettled } = this.#done;
    this.#ports.log.progress(recorded + deletionsRecorded + elementsSettled);
    await this.#ports.pace(count);
  }

  /**
   * Waits until the events recorded so far are settled. Later events have later positions. False if
   * none is being settled.
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

/**
 * Ghosts and elements are held in memory until all are counted. The next round finds the rest
 * again.
 */
function maxHeld({ maxDeleted }: RepairOptions): number {
  return maxDeleted + 10_000;
}

function isDeletion({ kind }: Difference): boolean {
  return kind === 'ghost' || kind === 'unowned';
}
