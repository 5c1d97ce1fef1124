/** Passes events to a consumer as its queue does, in batches that a test chooses. */
import type { ObjectId } from 'mongodb';
import type { ConsumeReport } from '../../lib/consumer/ports.ts';
import type { QueueMessage } from '../../lib/consumer/queue-message.ts';
import { type Consumer, joinConsumer, noQueue } from '../../lib/consumer/wiring.ts';
import type { AggregateCatalog } from '../../lib/projection/catalog.ts';
import { consumerSettings, readSettings } from '../../lib/runtime/settings.ts';
import { catalog as xmemCatalog } from '../../xmem/catalog.ts';
import { silentLog } from './silent-log.ts';

/** The settings of a test, in addition to those of its databases. */
type Settings = Readonly<Record<string, string>>;

export interface TestConsumer {
  /** Consumes one batch. `receiveCount` is how many times its messages were received. */
  readonly consume: (ids: readonly ObjectId[], receiveCount?: number) => Promise<ConsumeReport>;
  readonly close: () => Promise<void>;
}

/** Queue messages that point to these events. */
export function messagesOf(ids: readonly (ObjectId | string)[], receiveCount = 1): readonly QueueMessage[] {
  return ids.map((id) => ({
    messageId: String(id),
    body: JSON.stringify({ eventId: String(id), aggregateType: 'graph', aggregateId: 'x' }),
    receiveCount,
    receiptHandle: '',
  }));
}

/** Opens a consumer. */
export function openConsumer(settings: Settings, catalog: AggregateCatalog = xmemCatalog): TestConsumer {
  const consumer: Consumer = joinConsumer(readSettings(consumerSettings, settings), catalog, noQueue);
  return {
    consume: (ids, receiveCount = 1) => {
      const endsAt = Date.now() + batchMillis;
      return consumer.consume(messagesOf(ids, receiveCount), () => endsAt - Date.now(), silentLog);
    },
    close: () => consumer.close(),
  };
}

const batchMillis = 110_000;
