/** The publisher against a bare loop of PutEvents on the same bus, and against the bare driver on the same change stream. */
import { randomBytes } from 'node:crypto';
import {
  CreateEventBusCommand,
  DeleteEventBusCommand,
  EventBridgeClient,
  PutEventsCommand,
} from '@aws-sdk/client-eventbridge';
import type { ResumeToken } from 'mongodb';
import pMap from 'p-map';
import type { Servers } from '../infra/local/servers.ts';
import { sendPointers } from '../lib/aws/event-bus.ts';
import { publisherSettings, readSettings } from '../lib/config.ts';
import { pointerSource, pointersPerCall } from '../lib/contract/pointer.ts';
import { inChunks } from '../lib/in-chunks.ts';
import { outboxInserts } from '../lib/mongodb/tail-outbox.ts';
import { concurrentCalls, type SendPointers } from '../lib/publish/send-all.ts';
import { joinPublisher, type Publisher } from '../lib/wiring/publisher.ts';
import { BenchOutbox } from './bench-outbox.ts';
import { type Contender, compare } from './compare.ts';
import { type Benchmark, secondAgainstFirst } from './figure.ts';

const log = { publishingPending: () => undefined, leftToSweep: () => undefined };

/** Nothing was sent for so long: there is nothing left to send. */
const quietMillis = 2_000;

/** A publisher that stops when it has sent what it should. */
class CountingPublisher {
  readonly #publisher: Publisher;
  #left = 0;
  #lastSent = 0;

  constructor(environment: BenchOutbox['environment'], send: SendPointers) {
    const settings = readSettings(publisherSettings.omit({ EVENT_BUS_NAME: true }), environment);
    this.#publisher = joinPublisher(settings, {
      send: async (pointers) => {
        const refused = await send(pointers);
        if (refused.length > 0) throw new Error(`The bus refused ${refused.length} pointers.`);
        this.#left -= pointers.length;
        this.#lastSent = performance.now();
        return refused;
      },
      close: () => undefined,
      checkpointId: 'bench',
      durable: true,
    });
  }

  /** Publishes what there is: leaves a checkpoint at the end of the history. */
  async #moveOn(): Promise<void> {
    this.#left = 0;
    this.#lastSent = performance.now();
    await this.#publisher.publish(() => (performance.now() - this.#lastSent < quietMillis ? 60_000 : 0), log);
  }

  /** Publishes so many fresh events in each round. */
  contender(name: string, outbox: BenchOutbox, count: number): Contender {
    return {
      name,
      prepare: async (round) => {
        await this.#moveOn();
        await outbox.write(`published${round}`, count);
      },
      run: () => this.#publish(count),
    };
  }

  async #publish(count: number): Promise<number> {
    this.#left = count;
    await this.#publisher.publish(() => (this.#left > 0 ? 60_000 : 0), log);
    return count;
  }

  close(): Promise<void> {
    return this.#publisher.close();
  }
}

export const publisherBenchmark: Benchmark = {
  name: 'publisher',
  needs: ['mongodb', 'localstack'],
  run: async (servers) => [await compareOnBus(servers), await compareStreams(servers)],
};

/** LocalStack sets the pace: so few that a round takes seconds. */
const busPointers = 2_000;

function compareOnBus(servers: Servers) {
  return BenchOutbox.with(servers, async (outbox) => {
    const bus = new EventBridgeClient({
      endpoint: servers.endpointUrl,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    const name = `bench-${randomBytes(4).toString('hex')}`;
    await bus.send(new CreateEventBusCommand({ Name: name }));
    const publisher = new CountingPublisher(outbox.environment, (pointers) => sendPointers(bus, name, pointers));
    const entry = {
      EventBusName: name,
      Source: pointerSource,
      DetailType: 'graph',
      Detail: JSON.stringify({
        eventId: '0'.repeat(24),
        aggregateType: 'graph',
        aggregateId: outbox.graph.aggregateId('round1-1000'),
      }),
    };
    const calls = inChunks(new Array(busPointers).fill(entry), pointersPerCall);
    const result = await compare(
      [
        {
          name: 'bare PutEvents',
          run: async () => {
            await pMap(calls, (entries) => bus.send(new PutEventsCommand({ Entries: [...entries] })), {
              concurrency: concurrentCalls,
            });
            return busPointers;
          },
        },
        publisher.contender('publisher', outbox, busPointers),
      ],
      { rounds: 6, warmUp: 2 },
    );
    await publisher.close();
    await bus.send(new DeleteEventBusCommand({ Name: name }));
    bus.destroy();
    return secondAgainstFirst(result, {
      figure: 'publisher into the bus, against bare PutEvents',
      goal: 0.9,
      unit: 'pointers/s',
    });
  });
}

const streamPointers = 20_000;

function compareStreams(servers: Servers) {
  return BenchOutbox.with(servers, async (outbox) => {
    const publisher = new CountingPublisher(outbox.environment, async () => []);
    let token: ResumeToken = null;
    const result = await compare(
      [
        {
          name: 'bare change stream',
          prepare: async (round) => {
            const stream = outbox.outbox.watch(...outboxInserts());
            await stream.tryNext();
            token = stream.resumeToken;
            await stream.close();
            await outbox.write(`bare${round}`, streamPointers);
          },
          run: async () => {
            const [pipeline, options] = outboxInserts();
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
    return secondAgainstFirst(result, {
      figure: 'publisher without a bus, against the bare change stream',
      goal: 0.8,
      unit: 'pointers/s',
    });
  });
}
