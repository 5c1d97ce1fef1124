/**
 * The pointer: the small message that travels from the publisher (or an Atlas Trigger, or the sweep) to the consumer.
 * It says which event to apply and never carries its payload.
 */
import { z } from 'zod';

/** `Source` of every EventBridge entry that outgraph puts. */
export const pointerSource = 'outgraph';

/**
 * Pointers that one call takes, of PutEvents and of SendMessageBatch alike.
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
 * Which event to apply: the `Detail` of an EventBridge entry, and the sweep's message body. The trace context is for
 * the sender's log, and does not travel.
 */
export type Pointer = Readonly<z.infer<typeof pointerSchema>> & { readonly traceparent?: string };

/**
 * A pointer as the text that travels, in ASCII: an aggregate's id may have characters that SQS refuses (U+FFFE and
 * U+FFFF), and its event could never be sent.
 *
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
export function pointerText({ eventId, aggregateType, aggregateId }: Pointer): string {
  const toEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify({ eventId, aggregateType, aggregateId }).replace(/[^ -~]/g, toEscape);
}

const envelopeSchema = z.object({ source: z.string(), detail: pointerSchema });

const atlasEnvelopeSchema = z.object({
  detail: z.object({
    fullDocument: z.object({
      _id: z.union([eventIdSchema, z.object({ $oid: eventIdSchema }).transform((id) => id.$oid)]),
    }),
  }),
});

/** What a message body says: the event's id, or why it cannot be read. */
export type PointerReading =
  | { readonly outcome: 'read'; readonly eventId: string }
  | { readonly outcome: 'unreadable'; readonly reason: string };

/**
 * Reads a queue message's body in any of the three shapes of the contract: the EventBridge envelope around a pointer,
 * the envelope of an Atlas Trigger's partner event source (`detail.fullDocument._id`, plain or Extended JSON), or the
 * bare pointer of the sweep.
 *
 * Only the event's id is taken: the consumer reads everything else from the event itself.
 *
 * @example
 * readPointer('{"eventId":"66a0c0ffee0123456789abcd","aggregateType":"graph","aggregateId":"a"}');
 * // { outcome: 'read', eventId: '66a0c0ffee0123456789abcd' }
 */
export function readPointer(body: string): PointerReading {
  const json = parseJson(body);
  if (json === undefined) return { outcome: 'unreadable', reason: 'the body is not JSON' };
  const bare = pointerSchema.safeParse(json);
  if (bare.success) return { outcome: 'read', eventId: bare.data.eventId };
  const envelope = envelopeSchema.safeParse(json);
  if (envelope.success) return { outcome: 'read', eventId: envelope.data.detail.eventId };
  const atlas = atlasEnvelopeSchema.safeParse(json);
  if (atlas.success) return { outcome: 'read', eventId: atlas.data.detail.fullDocument._id };
  return {
    outcome: 'unreadable',
    reason:
      'the body is neither a pointer, nor an EventBridge envelope around one, nor the envelope of an Atlas Trigger',
  };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}
