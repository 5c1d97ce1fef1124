/**
 * Compares the publisher with a bare loop of PutEvents on the same bus, and with the bare driver on
 * the same change stream.
 */
import { randomBytes } from 'node:crypto';
import { CreateEventBusCommand, DeleteEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { ResumeToken } from 'mongodb';
import { sendPacks } from '../lib/publisher/event-bus.ts';
import { outboxInserts } from '../lib/publisher/mongodb-change-stream.ts';
import type { Servers } from '../tools/local/servers.ts';
import { putEventsBare } from './bare-put-events.ts';
import { BenchOutbox } from './bench-outbox.ts';
import { compare } from './compare.ts';
import { CountingPublisher } from './counting-publisher.ts';
import { againstFirst, type Benchmark } from './figure.ts';

export const publisherBenchmark: Benchmark = {
  name: 'publisher',
  needs: ['mongodb', 'localstack'],
  run: async (servers) => [await compareOnBus(servers), await compareStreams(servers)],
};

/** LocalStack limits the rate. A round of this few takes seconds. */
const busPointers = 8_000;

function compareOnBus(servers: Servers) {
  return BenchOutbox.with(servers, async (outbox) => {
    const bus = new EventBridgeClient({
      endpoint: servers.endpointUrl,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    const name = `bench-${randomBytes(4).toString('hex')}`;
    await bus.send(new CreateEventBusCommand({ Name: name }));
    const publisher = new CountingPublisher(outbox.environment, (packs) => sendPacks(bus, name, packs));
    const aggregateId = outbox.graph.aggregateId('round1-1000');
    const result = await compare(
      [
        { name: 'bare PutEvents', run: () => putEventsBare(bus, name, busPointers, aggregateId) },
        publisher.contender('publisher', outbox, busPointers),
      ],
      { rounds: 6, warmUp: 2 },
    );
    await publisher.close();
    await bus.send(new DeleteEventBusCommand({ Name: name }));
    bus.destroy();
    return againstFirst(result, {
      figure: 'publisher into the bus, against bare PutEvents of single pointers',
      goal: 10,
      unit: 'pointers/s',
    });
  });
}

const streamPointers = 20_000;
const streamBatch = 4_000;

function compareStreams(servers: Servers) {
  return BenchOutbox.with(servers, async (outbox) => {
    const publisher = new CountingPublisher(outbox.environment, async () => []);
    let token: ResumeToken = null;
    const result = await compare(
      [
        {
          name: 'bare change stream',
          prepare: async (round) => {
            const stream = outbox.outbox.watch(...outboxInserts(streamBatch));
            await stream.tryNext();
            token = stream.resumeToken;
            await stream.close();
            await outbox.write(`bare${round}`, streamPointers);
          },
          run: async () => {
            const [pipeline, options] = outboxInserts(streamBatch);
            const stream = outbox.outbox.watch(pipeline, { ...options, resumeAfter: token });
            for (let count = 0; count < streamPointers; count += 1) await stream.next();
            await stream.close();
            return streamPointers;
          },
        },
        publisher.contender('publisher without a bus', outbox, streamPointers),
      ],
      { rounds: 8, warmUp: 2 },
    );
    await publisher.close();
    return againstFirst(result, {
      figure: 'publisher without a bus, against the bare change stream',
      goal: 0.8,
      unit: 'pointers/s',
    });
  });
}
