/**
 * Connections that the network drops while the consumer is idle, without a notice to either end, as
 * a NAT gateway does. A frozen function meets this after any pause.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { joinConsumer, noQueue } from '../../../lib/consumer/wiring.ts';
import { consumerSettings, readSettings } from '../../../lib/runtime/settings.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { messagesOf } from '../../support/consume-events.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { silentLog } from '../../support/silent-log.ts';
import { openSmallGraph } from '../../support/small-graph.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { createTestDatabase } from '../../support/test-database.ts';

const idleMillis = 300;
/** The consumer keeps the last ten seconds of an invocation for itself. */
const fiveSecondsOfWork = 15_000;

it('cost the next batch less than five seconds', async () => {
  const database = await createTestDatabase();
  const small = await openSmallGraph();
  const { MONGODB_URI, NEO4J_URI } = database.settings;
  const mongodb = await TcpProxy.start(Number(/:(\d+)/.exec(MONGODB_URI)?.[1]));
  const neo4j = await TcpProxy.start(Number(new URL(NEO4J_URI).port));
  const settings = {
    ...database.settings,
    // Otherwise the driver would connect to the address that the server reports.
    MONGODB_URI: `mongodb://127.0.0.1:${mongodb.port}/?directConnection=true`,
    NEO4J_URI: `bolt://127.0.0.1:${neo4j.port}`,
  };
  const consumer = joinConsumer(readSettings(consumerSettings, settings), catalog, noQueue, { idleMillis });
  const applyOne = async (name: string, millis: number) => {
    const event = upsertEvent({ nodes: [small.node(name)] }, { aggregateId: `${small.graph.label}-${name}` });
    await database.db.collection('outbox').insertOne(event);
    const endsAt = Date.now() + millis;
    const report = await consumer.consume(messagesOf([event._id]), () => endsAt - Date.now(), silentLog);
    expect(report).toMatchObject({ applied: 1, failedMessageIds: [] });
  };
  try {
    await applyOne('before', 60_000);
    mongodb.dropSilently();
    neo4j.dropSilently();
    await sleep(2 * idleMillis);
    await applyOne('after', fiveSecondsOfWork);
  } finally {
    // Before the consumer, which would wait for the dropped connections.
    await Promise.all([mongodb.close(), neo4j.close()]);
    await consumer.close();
    await small.clear();
    await database.drop();
  }
});
