/**
 * Measures the consumer's memory: a separate process runs its bundle and consumes batches of 1,000
 * events of 10 KB each.
 */

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { setUpGraph } from '../lib/set-up/neo4j-graph.ts';
import { connectGraph } from '../test/support/connect-graph.ts';
import { upsertEvent } from '../test/support/outbox-event.ts';
import { testOutboxId } from '../test/support/outbox-id.ts';
import { type Bundle, bundleFunctions } from '../tools/bundle-functions.ts';
import { catalog } from '../xmem/catalog.ts';
import { BenchOutbox } from './bench-outbox.ts';
import type { Benchmark } from './figure.ts';
import { symbolRows } from './symbols.ts';

const batches = 5;
const batchSize = 1_000;
const payloadBytes = 10_000;
const goalMegabytes = 256;

export const memoryBenchmark: Benchmark = {
  name: 'memory',
  needs: ['mongodb', 'neo4j'],
  run: (servers) =>
    BenchOutbox.with(servers, async ({ environment, graph, outbox }) => {
      const driver = connectGraph(servers);
      await setUpGraph(driver, 'neo4j', catalog, testOutboxId);
      await driver.close();
      const text = 'x'.repeat(payloadBytes);
      const calls: SQSEvent[] = [];
      for (let batch = 0; batch < batches; batch += 1) {
        const events = symbolRows(`batch${batch}`, batchSize).map((row) =>
          upsertEvent(graph.subgraph({ ...row, properties: { ...row.properties, text } })),
        );
        await outbox.insertMany(events);
        calls.push({ Records: events.map(({ _id }) => recordOf(_id.toHexString())) });
      }
      const megabytes = await peakMegabytes(servers.folder, environment, calls);
      if ((await outbox.countDocuments({ status: 'processed' })) !== batches * batchSize)
        throw new Error('Not every event was applied.');
      const peak = { name: 'peak', median: megabytes, low: megabytes, high: megabytes };
      return [
        {
          figure: 'consumer, peak memory over 5 batches of 1,000 events of 10 KB (MB, at most)',
          ratio: peak,
          goal: goalMegabytes,
          rates: [peak],
          unit: 'MB',
        },
      ];
    }),
};

/** Contains only the fields that the function reads. */
function recordOf(eventId: string): SQSRecord {
  const body = JSON.stringify({ eventId, aggregateType: 'graph', aggregateId: eventId });
  return { messageId: eventId, body, attributes: { ApproximateReceiveCount: '1' } } as SQSRecord;
}

/** Nothing is sent to these queues: no message is unreadable, and none is redelivered. */
const queues = {
  QUEUE_URL: 'https://queue.invalid/1/queue',
  DEAD_LETTER_QUEUE_URL: 'https://queue.invalid/1/dead-letters',
};

/**
 * Runs the deployed function's bundle in a separate process. Kilobytes:
 * https://nodejs.org/api/process.html#processresourceusage
 */
const runner = `
const { readFileSync } = require('node:fs');
const { handler } = require(process.argv[2]);
(async () => {
  for (const call of JSON.parse(readFileSync(process.argv[3], 'utf8')))
    await handler(call, { getRemainingTimeInMillis: () => 60000 });
  console.error(process.resourceUsage().maxRSS / 1024);
  process.exit();
})();`;

async function peakMegabytes(
  folder: string,
  environment: BenchOutbox['environment'],
  calls: readonly SQSEvent[],
): Promise<number> {
  const bundle = (await bundleFunctions('xmem')).find(({ name }) => name === 'consumer') as Bundle;
  const files = ['run-consumer.cjs', 'consumer.cjs', 'calls.json'].map((name) => path.join(folder, name));
  const [script, code, events] = files as [string, string, string];
  await Promise.all([
    writeFile(script, runner),
    writeFile(code, bundle.code),
    writeFile(events, JSON.stringify(calls)),
  ]);
  const { stderr } = await promisify(execFile)(process.execPath, files, {
    env: {
      ...process.env,
      ...queues,
      ...environment,
      POWERTOOLS_LOG_LEVEL: 'SILENT',
      NODE_OPTIONS: bundle.nodeOptions,
    },
  });
  return Number(stderr.trim().split('\n').at(-1));
}
