/** Compares the whole consumer (fetch, project, apply, acknowledge) with the apply alone. */

import type { QueueMessage } from '../lib/consumer/queue-message.ts';
import { type Consumer, joinConsumer, noQueue } from '../lib/consumer/wiring.ts';
import type { AggregateState } from '../lib/graph/aggregate-state.ts';
import { consumerSettings, readSettings } from '../lib/runtime/settings.ts';
import { messagesOf } from '../test/support/consume-events.ts';
import { silentLog } from '../test/support/silent-log.ts';
import type { Servers } from '../tools/local/servers.ts';
import { catalog } from '../xmem/catalog.ts';
import { ApplyBench } from './apply.ts';
import { BenchOutbox } from './bench-outbox.ts';
import { type Contender, compare } from './compare.ts';
import { againstFirst, type Benchmark, type Figure } from './figure.ts';
import { symbolRows } from './symbols.ts';

const batchSize = 1_000;

/** Consumes new events in each round: `batches` batches in one call. */
export function wholeConsumer(outbox: BenchOutbox, consumer: Consumer, batches = 1): Contender {
  const events = batches * batchSize;
  let messages: readonly QueueMessage[] = [];
  return {
    name: 'whole consumer',
    prepare: async (round) => {
      messages = messagesOf(await outbox.write(`whole${batches}-${round}`, events));
    },
    run: async () => {
      const report = await consumer.consume(messages, () => 60_000, silentLog);
      if (report.applied !== events) throw new Error(`Only ${report.applied} events were applied.`);
      return events;
    },
  };
}

export const consumerBenchmark: Benchmark = {
  name: 'consumer',
  needs: ['mongodb', 'neo4j'],
  run: (servers: Servers): Promise<readonly Figure[]> =>
    BenchOutbox.with(servers, async (outbox) => {
      const apply = await new ApplyBench(servers, outbox.graph).setUp();
      const consumer = joinConsumer(readSettings(consumerSettings, outbox.environment), catalog, noQueue);
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
          wholeConsumer(outbox, consumer, 4),
        ],
        { rounds: 16, warmUp: 6 },
      );
      await consumer.close();
      await apply.driver.close();
      // A single batch overlaps with nothing. Several batches are fetched and acknowledged while
      // others are applied.
      return [1_000, 4_000].map((events, index) =>
        againstFirst(
          result,
          { figure: `whole consumer, batch ${events}, against apply alone`, goal: 0.75, unit: 'events/s' },
          index + 1,
        ),
      );
    }),
};
