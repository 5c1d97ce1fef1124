/**
 * XMem's temporal memory as its writer would implement it with outgraph: every operation selects
 * its documents inside its MongoDB transaction.
 */
import { type Db, type Document, type MongoClient, ObjectId } from 'mongodb';
import { type TrackedCollection, trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { memoryUser } from '../../../xmem/aggregates/memory-user.ts';

/** The memory of one user. */
export class TemporalMemory {
  readonly #users: TrackedCollection<unknown>;
  readonly #events: TrackedCollection<unknown>;
  readonly #user_id: string;

  constructor(client: MongoClient, db: Db, user_id: string) {
    this.#users = trackCollection<unknown>(client, db, memoryUser);
    this.#events = trackCollection<unknown>(client, db, memoryEvent);
    this.#user_id = user_id;
  }

  async addUser(): Promise<void> {
    await this.#users.insertOne({ user_id: this.#user_id });
  }

  /**
   * Adds an event. Returns its id.
   *
   * @throws Fault `payload-invalid` for an invalid date.
   */
  async add(date: string, fields: Document = {}): Promise<ObjectId> {
    const _id = new ObjectId();
    await this.#events.insertOne({ _id, user_id: this.#user_id, date, ...fields });
    return _id;
  }

  /** Updates an event. Fields that are null are removed. */
  async update(_id: ObjectId, fields: Document): Promise<void> {
    const entries = Object.entries(fields);
    const $set = Object.fromEntries(entries.filter(([, value]) => value !== null));
    const $unset = Object.fromEntries(entries.filter(([, value]) => value === null));
    await this.#events.updateOne({ _id }, { $set, $unset });
  }

  async delete(_id: ObjectId): Promise<number> {
    return (await this.#events.deleteOne({ _id })).deletedCount;
  }

  /** @throws Error for an empty name, which must not mean the whole day. */
  async deleteByName(date: string, event_name: string): Promise<number> {
    if (event_name === '') throw new Error('An event to delete by its name needs a name.');
    return (await this.#events.deleteMany({ user_id: this.#user_id, date, event_name })).deletedCount;
  }

  async deleteByDate(date: string): Promise<number> {
    return (await this.#events.deleteMany({ user_id: this.#user_id, date })).deletedCount;
  }

  async clear(): Promise<number> {
    return (await this.#events.deleteMany({ user_id: this.#user_id })).deletedCount;
  }
}
