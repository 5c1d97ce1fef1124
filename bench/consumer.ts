/** The whole consumer (fetch, project, apply, acknowledge) against the apply alone. */
import type { Servers } from '../infra/local/servers.ts';
import { aggregates } from '../lib/aggregates/catalog.ts';
import type { AggregateState } from '../lib/apply/aggregate-state.ts';
import { consumerSettings, readSettings } from '../lib/config/settings.ts';
import type { QueueMessage } from '../lib/consume/queue-message.ts';
import { type Consumer, joinConsumer, noQueue } from '../lib/wiring/consumer.ts';
import { messagesOf } from '../test/support/consume-events.ts';
import { silentLog } from '../test/support/silent-log.ts';
import { ApplyBench } from './apply.ts';
import { BenchOutbox } from './bench-outbox.ts';
import { type Contender, compare } from './compare.ts';
import { type Benchmark, type Figure, secondAgainstFirst } from './figure.ts';
import { symbolRows } from './symbols.ts';

const batchSize = 1_000;

/** The messages that the queue would bring. */
/** Consumes one full batch of fresh events in each round. */
export function wholeConsumer(outbox: BenchOutbox, consumer: Consumer): Contender {
  let messages: readonly QueueMessage[] = [];
  return {
    name: 'whole consumer',
    prepare: async (round) => {
      messages = messagesOf(await outbox.write(`whole${round}`, batchSize));
    },
    run: async () => {
      const report = await consumer.consume(messages, () => 60_000, silentLog);
      if (report.applied !== batchSize) throw new Error(`Only ${report.applied} events were applied.`);
      return batchSize;
    },
  };
}

export const consumerBenchmark: Benchmark = {
  name: 'consumer',
  needs: ['mongodb', 'neo4j'],
  run: (servers: Servers): Promise<readonly Figure[]> =>
    BenchOutbox.with(servers, async (outbox) => {
      const apply = await new ApplyBench(servers, outbox.graph).setUp();
      const consumer = joinConsumer(readSettings(consumerSettings, outbox.environment), aggregates, noQueue);
      let states: readonly AggregateState[] = [];
      const result = await compare(
        [
          {
            name: 'apply alone',
            prepare: async (round) => {
              states = apply.states(symbolRows(`alone${round}`, batchSize));
            },
            run: () => apply.apply(states).then(() => batchSize),
          },
          wholeConsumer(outbox, consumer),
        ],
        { rounds: 16, warmUp: 6 },
      );
      await consumer.close();
      await apply.driver.close();
      return [
        secondAgainstFirst(result, {
          figure: 'whole consumer, batch 1000, against apply alone',
          goal: 0.75,
          unit: 'events/s',
        }),
      ];
    }),
};
