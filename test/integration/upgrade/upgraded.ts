/**
 * Today's code on the data of an older version: its consumer, new events for the old aggregates,
 * and the model of the expected graph.
 */
import type { Db, Document } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import { expect } from 'vitest';
import type { ConsumeReport } from '../../../lib/consumer/ports.ts';
import type { CrashedTrials } from '../../../lib/consumer/trial.ts';
import { type Consumer, joinConsumer, noQueue } from '../../../lib/consumer/wiring.ts';
import { exactTypes } from '../../../lib/contract/exact-types.ts';
import { aggregateKey, outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { readGraphSchema } from '../../../lib/graph/neo4j-schema.ts';
import { readOutboxEvent } from '../../../lib/outbox/mongodb-read-event.ts';
import { projectOutboxEvent } from '../../../lib/projection/project.ts';
import { consumerSettings, readSettings } from '../../../lib/runtime/settings.ts';
import { expectedGraph, type GraphPicture, type ModelEvent } from '../../../lib/testing/expected-graph.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { readGraph } from '../../support/model/read-graph.ts';
import { outboxEvent, upsertEvent } from '../../support/outbox-event.ts';
import { silentLog } from '../../support/silent-log.ts';

export interface UpgradedServers {
  readonly mongodbUri: string;
  readonly database: string;
  readonly neo4jUri: string;
  readonly db: Db;
  readonly driver: Driver;
}

export class Upgraded {
  /** Events that the consumer tried alone, because of recorded trials. */
  readonly suspected = new Map<string, CrashedTrials>();
  readonly #servers: UpgradedServers;
  readonly #consumer: Consumer;

  constructor(servers: UpgradedServers) {
    this.#servers = servers;
    this.#consumer = joinConsumer(
      readSettings(consumerSettings, {
        MONGODB_URI: servers.mongodbUri,
        MONGODB_DATABASE: servers.database,
        NEO4J_URI: servers.neo4jUri,
      }),
      catalog,
      noQueue,
    );
  }

  async close(): Promise<void> {
    await this.#consumer.close();
  }

  consume(bodies: readonly string[], { receiveCount = 1 } = {}): Promise<ConsumeReport> {
    const messages = bodies.map((body, index) => ({ messageId: `m${index}`, body, receiveCount, receiptHandle: '' }));
    const log = {
      ...silentLog,
      eventSuspected: (eventId: string, trials: CrashedTrials) => void this.suspected.set(eventId, trials),
    };
    return this.#consumer.consume(messages, () => 60_000, log);
  }

  consumeEvents(eventIds: readonly string[]): Promise<ConsumeReport> {
    return this.consume(
      eventIds.map((eventId) => JSON.stringify({ eventId, aggregateType: 'any', aggregateId: 'any' })),
    );
  }

  /** The actual graph, with the keys of its constraints. */
  async picture(): Promise<GraphPicture> {
    const { keys } = await readGraphSchema(this.#servers.driver, 'neo4j');
    const { OutgraphAggregate: _, ...keyNames } = Object.fromEntries(keys);
    return readGraph(this.#servers.driver, 'neo4j', keyNames);
  }

  /** Checks that the graph matches the newest processed event of each aggregate. */
  async expectModel(): Promise<void> {
    const documents = await this.#outbox.find({ status: 'processed' }, exactTypes).toArray();
    const events = documents.map((document): ModelEvent => {
      const reading = readOutboxEvent(document);
      if (reading.outcome === 'invalid') throw new Error(reading.reason);
      const { event } = reading;
      return { key: aggregateKey(event), position: event.position, subgraph: projectOutboxEvent(catalog, event) };
    });
    expect(await this.picture()).toStrictEqual(expectedGraph(events));
  }

  /**
   * Writes a newer state of every aggregate that was ever applied, including deleted ones. Returns
   * the events' ids.
   */
  async updateEveryAggregate(): Promise<readonly string[]> {
    const newest = await this.#newestUpserts();
    return this.#write(
      newest.map(({ aggregateType, aggregateId, payload }) =>
        upsertEvent(changed(payload), { aggregateType, aggregateId }),
      ),
    );
  }

  /** Deletes every aggregate. Returns the events' ids. */
  async deleteEveryAggregate(): Promise<readonly string[]> {
    const newest = await this.#newestUpserts();
    return this.#write(newest.map(({ aggregateType, aggregateId }) => outboxEvent({ aggregateType, aggregateId })));
  }

  async countNodes(condition: string): Promise<number> {
    const { records } = await this.#servers.driver.executeQuery(
      `MATCH (n) WHERE ${condition} RETURN count(n) AS count`,
    );
    return Number(records[0]?.get('count'));
  }

  get #outbox() {
    return this.#servers.db.collection(outboxCollection);
  }

  async #newestUpserts(): Promise<readonly Document[]> {
    const documents = await this.#outbox
      .find({ status: 'processed', operation: 'upsert' }, exactTypes)
      .sort({ position: 1 })
      .toArray();
    return [...new Map(documents.map((one) => [`${one.aggregateType}:${one.aggregateId}`, one])).values()];
  }

  async #write(events: readonly (Document & { _id: { toHexString(): string } })[]): Promise<readonly string[]> {
    await this.#outbox.insertMany([...events] as Document[], { writeConcern: { w: 'majority' } });
    return events.map(({ _id }) => _id.toHexString());
  }
}

/**
 * Returns a changed payload. In a subgraph, each node gets another label and one more property, and
 * each relationship that can have properties gets one more.
 */
function changed(payload: Document): Document {
  if (!Array.isArray(payload.nodes)) return 'date' in payload ? { ...payload, date: '02-29', desc: 'moved' } : payload;
  const touch = (element: Document) =>
    element.shared === true ? element : { ...element, properties: { ...element.properties, upgraded: true } };
  return {
    ...payload,
    nodes: payload.nodes.map((node: Document) =>
      node.shared === true ? node : { ...touch(node), labels: ['Upgraded'] },
    ),
    relationships: (payload.relationships as Document[]).map(touch),
  };
}
