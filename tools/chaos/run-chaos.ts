/**
 * One chaos run: writers write, several lanes inject faults, and publisher and sweep are started as
 * by their schedules, only more often. Then all faults are undone, the queue drains, and the audit
 * checks whether anything was lost.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Document, type Filter, ObjectId } from 'mongodb';
import type { FailureStack } from '../../test/support/failure-stack.ts';
import { idsOf } from '../../test/support/model/document-states.ts';
import { waitUntil } from '../local/wait-until.ts';
import { type Audit, audit } from './audit.ts';
import { makeFault, unreadableBody } from './faults.ts';
import { Ledger } from './ledger.ts';
import { type Lane, type PlannedFault, planChaos } from './schedule.ts';

export interface ChaosOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Called with one line from time to time. */
  readonly progress: (line: string) => void;
}

/** The result of a run. */
export interface ChaosReport extends Audit {
  readonly seed: number;
  readonly commits: number;
  /** How many times each kind of fault had an effect. */
  readonly faults: Readonly<Record<string, number>>;
  readonly duplicatesSent: number;
  /** Messages that a consumer received at least twice. */
  readonly redeliveries: number;
  /** Messages whose event was already settled. */
  readonly deliveredInVain: number;
  /**
   * The longest time from the end of a fault until no event written before that end was pending.
   */
  readonly longestRecoverySeconds: number;
  readonly drainSeconds: number;
  readonly deadLetters: number;
  /** Bad events written among the others, which are dead in the end. */
  readonly badEvents: number;
}

const writers = 3;
const publisherEveryMillis = 10_000;
const sweepEveryMillis = 20_000;
const progressMillis = 10_000;
const drainSeconds = 240;

export async function runChaos(stack: FailureStack, options: ChaosOptions): Promise<ChaosReport> {
  const run = new ChaosRun(stack, options);
  return run.run();
}

class ChaosRun {
  readonly #stack: FailureStack;
  readonly #options: ChaosOptions;
  readonly #prefix = `c${new ObjectId().toHexString().slice(-8)}`;
  readonly #ledger: Ledger;
  readonly #faults = new Map<string, number>();
  readonly #recoveries: Promise<number>[] = [];
  readonly #badIds: unknown[] = [];
  readonly #sent = { duplicates: 0, unreadable: 0 };
  #over = false;

  constructor(stack: FailureStack, options: ChaosOptions) {
    this.#stack = stack;
    this.#options = options;
    const target = { mongodbUri: stack.mongodb.uri, database: stack.db.databaseName, prefix: this.#prefix };
    this.#ledger = new Ledger(target, options.seed);
  }

  async run(): Promise<ChaosReport> {
    const { seconds, seed, signal } = this.#options;
    const schedules = [this.#every(publisherEveryMillis, 'publisher'), this.#every(sweepEveryMillis, 'sweep')];
    const progress = setInterval(() => this.#say(), progressMillis);
    try {
      for (let number = 0; number < writers; number += 1) this.#ledger.startWriter();
      const timer = setTimeout(() => this.#end(), seconds * 1_000);
      signal.addEventListener('abort', () => this.#end(), { once: true });
      await Promise.all(planChaos(seed).map((lane) => this.#runLane(lane)));
      clearTimeout(timer);
      await this.#ledger.stop();
      signal.throwIfAborted();
      const drained = await this.#drain();
      return await this.#report(drained);
    } finally {
      await this.#ledger.stop();
      this.#end();
      clearInterval(progress);
      await Promise.all(schedules);
    }
  }

  #end(): void {
    this.#over = true;
  }

  async #runLane(lane: Lane): Promise<void> {
    for (const fault of lane) {
      await sleep(fault.waitMillis);
      if (this.#over) return;
      await this.#make(fault);
    }
  }

  async #make(fault: PlannedFault): Promise<void> {
    const target = {
      stack: this.#stack,
      ledger: this.#ledger,
      prefix: this.#prefix,
      badIds: this.#badIds,
      count: (what: 'duplicates' | 'unreadable', count: number) => {
        this.#sent[what] += count;
      },
    };
    const hadEffect = await makeFault(fault, target);
    if (!hadEffect) return;
    this.#faults.set(fault.kind, (this.#faults.get(fault.kind) ?? 0) + 1);
    this.#recoveries.push(this.#recover(Date.now()));
  }

  /** Seconds until nothing written before `since` is pending. Other faults may occur in between. */
  async #recover(since: number): Promise<number> {
    const recovered = async () => {
      const waiting = { ...this.#ofRun(), status: 'pending', createdAt: { $lt: new Date(since) } };
      return (await this.#stack.outbox.findOne(waiting)) === null || undefined;
    };
    await waitUntil(recovered, { timeoutSeconds: 600, pollMillis: 500, what: 'a recovery' }).catch(() => undefined);
    return (Date.now() - since) / 1_000;
  }

  /** Starts a function repeatedly, as its schedule does. */
  async #every(millis: number, name: 'publisher' | 'sweep'): Promise<void> {
    while (!this.#over || (await this.#countPending()) > 0) {
      await this.#stack.functions.start(name).catch(() => undefined);
      const next = performance.now() + millis;
      while (performance.now() < next && !(this.#over && this.#options.signal.aborted)) await sleep(250);
      if (this.#options.signal.aborted) return;
    }
  }

  /** Waits until nothing is pending and the queue is empty. Returns how long that took. */
  async #drain(): Promise<number> {
    const startedAt = performance.now();
    const drained = async () => {
      this.#options.signal.throwIfAborted();
      return ((await this.#countPending()) === 0 && (await this.#stack.countMessages('queue')) === 0) || undefined;
    };
    await waitUntil(drained, { timeoutSeconds: drainSeconds, pollMillis: 500, what: 'the backlog to drain' }).catch(
      // The audit reports what remains.
      () => undefined,
    );
    return (performance.now() - startedAt) / 1_000;
  }

  async #report(drained: number): Promise<ChaosReport> {
    const found = await audit(this.#stack, this.#prefix, this.#ledger.commits);
    const batches = await this.#stack.functions.consumedBatches();
    const sum = (field: string) => batches.reduce((total, batch) => total + Number(batch[field] ?? 0), 0);
    const deadLetters = await this.#stack.receiveDeadLetters();
    return {
      ...found,
      findings: [...found.findings, ...this.#findDeadLetters(deadLetters), ...(await this.#findOpenBad())],
      badEvents: await this.#stack.outbox.countDocuments(this.#ofBad()),
      seed: this.#options.seed,
      commits: this.#ledger.commits.length,
      faults: Object.fromEntries([...this.#faults].sort()),
      duplicatesSent: this.#sent.duplicates,
      redeliveries: sum('redelivered'),
      deliveredInVain: sum('settledBefore'),
      longestRecoverySeconds: Math.max(0, ...(await Promise.all(this.#recoveries))),
      drainSeconds: drained,
      deadLetters: deadLetters.length,
    };
  }

  /**
   * Checks that the dead-letter queue has every unreadable message at least once, and nothing else.
   */
  #findDeadLetters(bodies: readonly string[]): readonly string[] {
    const unexpected = bodies.filter((body) => body !== unreadableBody);
    const found = unexpected.map((body) => `in the dead-letter queue: ${body}`);
    const missing = this.#sent.unreadable - (bodies.length - unexpected.length);
    return missing > 0 ? [...found, `${missing} unreadable messages are in no queue`] : found;
  }

  #ofRun() {
    return { aggregateType: 'graph', aggregateId: idsOf(this.#prefix) };
  }

  #ofBad(): Filter<Document> {
    return { _id: { $in: this.#badIds } } as Filter<Document>;
  }

  /** Checks that events that can never be applied are dead. */
  async #findOpenBad(): Promise<readonly string[]> {
    const open = await this.#stack.outbox
      .find({ ...this.#ofBad(), status: { $ne: 'dead' } }, { projection: { status: 1 } })
      .toArray();
    return open.map(({ _id, status }) => `the bad event ${_id} is ${status}`);
  }

  async #countPending(): Promise<number> {
    const count = (filter: Filter<Document>) => this.#stack.outbox.countDocuments({ ...filter, status: 'pending' });
    return Promise.all([count(this.#ofRun()), count(this.#ofBad())]).then(
      ([events, bad]) => events + bad,
      () => 1,
    );
  }

  #say(): void {
    const faults = [...this.#faults.values()].reduce((total, count) => total + count, 0);
    this.#countPending()
      .then((pending) =>
        this.#options.progress(`${this.#ledger.commits.length} commits, ${faults} faults, ${pending} events pending`),
      )
      .catch(() => undefined);
  }
}
