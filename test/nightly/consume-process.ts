/**
 * Runs one batch of the consumer in a separate process, so that its memory can be measured. The
 * arguments are the ids of the events. Prints the result as one line of JSON.
 */

import { joinConsumer, noQueue } from '../../lib/consumer/wiring.ts';
import { consumerSettings, readSettings } from '../../lib/runtime/settings.ts';
import { catalog } from '../../xmem/catalog.ts';
import { messagesOf } from '../support/consume-events.ts';
import { silentLog } from '../support/silent-log.ts';

const consumer = joinConsumer(readSettings(consumerSettings, process.env), catalog, noQueue);
const ids = process.argv.slice(2);
const endsAt = Date.now() + 600_000;
const { applied, failed, dead, lastFailure } = await consumer.consume(
  messagesOf(ids),
  () => endsAt - Date.now(),
  silentLog,
);
const { maxRSS } = process.resourceUsage();
console.log(
  JSON.stringify({
    applied,
    failed,
    dead,
    lastFailure: lastFailure?.message,
    peakMegabytes: Math.round(maxRSS / 1024),
  }),
);
await consumer.close();
