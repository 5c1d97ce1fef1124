import type { Context } from 'aws-lambda';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createConsumerHandler } from '../../../lib/consumer/handler.ts';
import { catalog } from '../../../xmem/catalog.ts';

beforeEach(() => {
  vi.stubEnv('MONGODB_URI', 'mongodb://127.0.0.1:1/');
  vi.stubEnv('NEO4J_URI', 'bolt://127.0.0.1:1');
  vi.stubEnv('QUEUE_URL', 'http://127.0.0.1:1/queue');
  vi.stubEnv('DEAD_LETTER_QUEUE_URL', 'http://127.0.0.1:1/dead');
  vi.stubEnv('POWERTOOLS_DEV', 'true');
});
afterEach(() => vi.unstubAllEnvs());

const context = { getRemainingTimeInMillis: () => 60_000 } as Context;

it.each([
  ['nothing', {}],
  ['an EventBridge event', { source: 'outgraph', 'detail-type': 'graph', detail: { eventId: 'x' } }],
  ['a record without attributes', { Records: [{ messageId: 'a', body: '{}', receiptHandle: 'b' }] }],
  ['a record without a body', { Records: [{ messageId: 'a', attributes: { ApproximateReceiveCount: '1' } }] }],
  ['records that are not a list', { Records: {} }],
  ['null', null],
  ['a text', 'hello'],
])('invoked with %s, the consumer explains its input', async (_, event) => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const handler = createConsumerHandler(catalog) as (event: unknown, context: Context) => Promise<unknown>;
  await expect(handler(event, context)).rejects.toMatchObject({
    code: 'configuration-invalid',
    message: expect.stringMatching(/^The consumer was not invoked with a batch of SQS messages\. .* its queue\.$/),
  });
});
