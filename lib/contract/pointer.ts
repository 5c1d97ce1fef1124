/**
 * The pointer: the small message from the publisher (or an Atlas Trigger, or the sweep) to the consumer. It names the
 * event to apply and never contains its payload.
 */
import { z } from 'zod';

/** `Source` of every EventBridge entry that outgraph puts. */
export const pointerSource = 'outgraph';

/**
 * Maximum number of pointers in one call, for PutEvents and SendMessageBatch alike.
 *
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
export const pointersPerCall = 10;

const eventIdSchema = z.string().regex(/^[0-9a-f]{24}$/, 'must be 24 lowercase hexadecimal digits');

const pointerSchema = z.object({
  eventId: eventIdSchema,
  aggregateType: z.string().min(1),
  aggregateId: z.string().min(1),
});

/**
 * Names the event to apply: the `Detail` of an EventBridge entry, and the sweep's message body. The trace context is
 * for the sender's log only and is not sent.
 */
export type Pointer = Readonly<z.infer<typeof pointerSchema>> & { readonly traceparent?: string };

/**
 * Encodes a pointer in ASCII: an aggregate's id may contain characters that SQS refuses (U+FFFE and U+FFFF), and its
 * event could never be sent.
 *
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
export function pointerText({ eventId, aggregateType, aggregateId }: Pointer): string {
  const toEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify({ eventId, aggregateType, aggregateId }).replace(/[^ -~]/g, toEscape);
}

/** Pointers in one pack, at most. */
export const maxPackPointers = 100;

const packSchema = z.object({
  aggregateType: z.string().min(1),
  events: z
    .array(z.object({ eventId: eventIdSchema, aggregateId: z.string().min(1) }))
    .min(1)
    .max(maxPackPointers),
});

/** What travels: a pack, or the single pointer of an older version. */
const detailSchema = z.union([
  packSchema.transform(({ events }) => events.map(({ eventId }) => eventId)),
  pointerSchema.transform(({ eventId }) => [eventId]),
]);

const envelopeSchema = z.object({ source: z.string(), detail: detailSchema }).transform(({ detail }) => detail);

const atlasEnvelopeSchema = z
  .object({
    detail: z.object({
      fullDocument: z.object({
        _id: z.union([eventIdSchema, z.object({ $oid: eventIdSchema }).transform((id) => id.$oid)]),
      }),
    }),
  })
  .transform(({ detail }) => [detail.fullDocument._id]);

const bodySchema = z.union([detailSchema, envelopeSchema, atlasEnvelopeSchema]);

/** What a message body says: the ids of its events, or why it cannot be read. */
export type PointerReading =
  | { readonly outcome: 'read'; readonly eventIds: readonly string[] }
  | { readonly outcome: 'unreadable'; readonly reason: string };

/**
 * Reads a queue message's body in any shape of the contract: a pack of pointers or a single one, bare or in the
 * EventBridge envelope, or the envelope of an Atlas Trigger's partner event source (`detail.fullDocument._id`, plain or
 * Extended JSON).
 *
 * Only the ids of the events are taken: the consumer reads everything else from the events themselves.
 *
 * @example
 * readPointers('{"aggregateType":"graph","events":[{"eventId":"66a0c0ffee0123456789abcd","aggregateId":"a"}]}');
 * // { outcome: 'read', eventIds: ['66a0c0ffee0123456789abcd'] }
 */
export function readPointers(body: string): PointerReading {
  const json = parseJson(body);
  if (json === undefined) return { outcome: 'unreadable', reason: 'the body is not JSON' };
  const read = bodySchema.safeParse(json);
  if (read.success) return { outcome: 'read', eventIds: [...new Set(read.data)] };
  return {
    outcome: 'unreadable',
    reason:
      'the body is neither pointers to events, nor an EventBridge envelope around them, nor the envelope of an Atlas Trigger',
  };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}
