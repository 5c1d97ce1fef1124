/**
 * Measures how fast outgraph's own parts are on the same databases, without bus and queue. Like the
 * benchmarks, but shorter.
 */

import { joinConsumer, noQueue } from '../../lib/consumer/wiring.ts';
import { consumerSettings, readSettings } from '../../lib/runtime/settings.ts';
import { readBinding } from '../../lib/set-up/neo4j-binding.ts';
import { connectGraph } from '../../test/support/connect-graph.ts';
import { shareOutboxId, testOutboxId } from '../../test/support/outbox-id.ts';
import { catalog } from '../../xmem/catalog.ts';
import { type BenchDatabases, BenchOutbox } from '../bench-outbox.ts';
import { type Contender, compare } from '../compare.ts';
import { wholeConsumer } from '../consumer.ts';
import { CountingPublisher } from '../counting-publisher.ts';

/** The capacity of the parts, each per second. */
export interface Headroom {
  /** The publisher without a bus. */
  readonly publisher: number;
  /** The whole consumer, in batches of 1,000. */
  readonly consumer: number;
}

/** Enough events to make the cost of opening the change stream negligible. */
const publishedEvents = 20_000;

/** After this many batches, Neo4j and Node have compiled the code that they run. */
const warmUpBatches = 20;

/** Needs databases on which nothing else runs. */
export function measureHeadroom(databases: BenchDatabases): Promise<Headroom> {
  return BenchOutbox.with(databases, async (outbox) => {
    const publisher = new CountingPublisher(outbox.environment, async () => []);
    const published = publisher.contender('publisher without a bus', outbox, publishedEvents);
    const publisherRate = await rateOf(published, { rounds: 4, warmUp: 2 });
    await publisher.close();
    await joinGraphOf(databases, outbox);
    const consumer = joinConsumer(readSettings(consumerSettings, outbox.environment), catalog, noQueue);
    const consumerRate = await rateOf(wholeConsumer(outbox, consumer), { rounds: 10, warmUp: warmUpBatches });
    await consumer.close();
    return { publisher: publisherRate, consumer: consumerRate };
  });
}

/**
 * Gives the outbox the id that the graph is bound to. The graph belongs to the outbox of the
 * deployed functions, and the consumer must take this outbox for the same one.
 */
async function joinGraphOf(databases: BenchDatabases, { db }: BenchOutbox): Promise<void> {
  const driver = connectGraph(databases);
  const { outboxId } = await readBinding(driver, 'neo4j').finally(() => driver.close());
  await shareOutboxId(db, outboxId ?? testOutboxId);
}

async function rateOf(contender: Contender, options: { readonly rounds: number; readonly warmUp: number }) {
  const { rates } = await compare([contender], options);
  return rates[0]?.median ?? Number.NaN;
}
