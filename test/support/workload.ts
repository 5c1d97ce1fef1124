/**
 * Documents that a test writes through a tracked collection, and the check whether the graph is in
 * step with them: the documents are the truth, their projections define the expected graph, and
 * every event must be settled.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Document, type MongoClient, ObjectId } from 'mongodb';
import { graph as graphAggregate } from '../../lib/projection/graph.ts';
import { expectedGraph, type GraphPicture } from '../../lib/testing/expected-graph.ts';
import { type TrackedCollection, trackCollection } from '../../lib/writer/tracked-collection.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import type { FailureStack } from './failure-stack.ts';
import { type HubDocument, hubDocument, hubNames } from './hub-document.ts';
import { idsOf, readDocumentStates } from './model/document-states.ts';
import { readGraph } from './model/read-graph.ts';

/** Number of hubs that documents share, as endpoints of their relationships. */
const hubs = 3;

/** Numbers of a workload's events by status. */
export interface Statuses {
  readonly pending: number;
  readonly processed: number;
  readonly dead: number;
}

export class Workload {
  readonly #stack: FailureStack;
  readonly #prefix = `w${new ObjectId().toHexString().slice(-8)}`;
  readonly #documents: TrackedCollection<unknown, HubDocument>;
  #written = 0;

  constructor(stack: FailureStack, client: MongoClient = stack.client) {
    this.#stack = stack;
    this.#documents = trackCollection<unknown, HubDocument>(client, client.db(stack.db.databaseName), graphAggregate);
  }

  /** The label of the documents' nodes. */
  get label(): string {
    return hubNames(this.#prefix).node;
  }

  /**
   * A document of this workload in some state: its own node, connected to one of the shared hubs.
   */
  document(number: number, version = 0, fields: Document = {}): HubDocument {
    return hubDocument(this.#prefix, `${this.#prefix}-${number}`, {
      hub: (number + version) % hubs,
      node: { version, ...fields },
      relationship: { version },
    });
  }

  /** Inserts `count` documents, each in its own transaction. */
  async insert(count: number, fields: Document = {}): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      await this.#documents.insertOne(this.document(this.#written, 0, fields));
      this.#written += 1;
    }
  }

  /** Updates documents to a new version, which moves each to another hub. */
  async update(version: number, numbers: readonly number[] = this.#numbers()): Promise<void> {
    for (const number of numbers) {
      const { _id, ...state } = this.document(number, version);
      await this.#documents.updateOne({ _id }, { $set: state });
    }
  }

  async remove(numbers: readonly number[]): Promise<void> {
    for (const number of numbers) await this.#documents.deleteOne({ _id: this.document(number)._id });
  }

  /**
   * Inserts, updates and deletes at a steady rate until it is stopped. Stopping waits for running
   * writes.
   */
  writeSteadily(perSecond: number): { readonly stop: () => Promise<number> } {
    let stopped = false;
    let count = 0;
    const writeOne = async () => {
      await this.insert(1);
      const newest = this.#written - 1;
      if (newest % 2 === 1) await this.update(newest, [newest - 1]);
      if (newest % 5 === 4) await this.remove([newest - 4]);
    };
    const running = (async () => {
      while (!stopped) {
        await Promise.all([writeOne(), sleep(1_000 / perSecond)]);
        count += 1;
      }
    })();
    return {
      stop: async () => {
        stopped = true;
        await running;
        return count;
      },
    };
  }

  /** The ids of this workload's events, in the order of their positions. */
  async eventIds(): Promise<readonly string[]> {
    const events = await this.#stack.outbox.find(this.#ofEvents(), { sort: { position: 1 } }).toArray();
    return events.map(({ _id }) => String(_id));
  }

  async statuses(): Promise<Statuses> {
    const rows = await this.#stack.outbox
      .aggregate<{ _id: keyof Statuses; count: number }>([
        { $match: this.#ofEvents() },
        { $group: { _id: '$status', count: { $sum: 1 } } },
      ])
      .toArray();
    const count = (status: keyof Statuses) => rows.find(({ _id }) => _id === status)?.count ?? 0;
    return { pending: count('pending'), processed: count('processed'), dead: count('dead') };
  }

  /** How many times the sweep has republished events of this workload. */
  async attempts(): Promise<number> {
    const events = await this.#stack.outbox.find(this.#ofEvents(), { projection: { attempts: 1 } }).toArray();
    return events.reduce((sum, { attempts }) => sum + Number(attempts), 0);
  }

  /** Resolves once no event is pending. */
  async untilSettled(timeoutSeconds = 100): Promise<Statuses> {
    const settled = async () => {
      const statuses = await this.statuses();
      return statuses.pending === 0 ? statuses : undefined;
    };
    return waitUntil(settled, { timeoutSeconds, pollMillis: 100, what: 'every event to be settled' });
  }

  /**
   * The actual graph and the graph that the documents define. They are equal if they are in step.
   */
  async compare(): Promise<{ readonly found: GraphPicture; readonly expected: GraphPicture }> {
    const { node, hub } = hubNames(this.#prefix);
    const keys = { [node]: ['id'], [hub]: ['id'] };
    const states = await readDocumentStates(this.#stack.db, graphAggregate, { _id: idsOf(this.#prefix) });
    return { found: await readGraph(this.#stack.graph, 'neo4j', keys), expected: expectedGraph(states) };
  }

  #numbers(): readonly number[] {
    return Array.from({ length: this.#written }, (_, number) => number);
  }

  #ofEvents() {
    return { aggregateType: 'graph', aggregateId: idsOf(this.#prefix) };
  }
}
