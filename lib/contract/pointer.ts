/**
 * Pointers: the small messages to the consumer from the publisher, an Atlas Trigger or the sweep.
 * They name the events to apply and never contain a payload.
 */
import { z } from 'zod';

/** `Source` of every EventBridge entry that outgraph puts. */
export const pointerSource = 'outgraph';

/**
 * Maximum number of entries in one call, for both PutEvents and SendMessageBatch.
 *
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
export const entriesPerCall = 10;

/**
 * Maximum size of all packs of one call in bytes. Both services accept 256 KB; the rest is for the
 * envelopes.
 */
const callMaxBytes = 200_000;

const eventIdSchema = z.string().regex(/^[0-9a-f]{24}$/, 'must be 24 lowercase hexadecimal digits');

const pointerSchema = z.object({
  eventId: eventIdSchema,
  aggregateType: z.string().min(1),
  aggregateId: z.string().min(1),
});

/**
 * Names the event to apply: the `Detail` of an EventBridge entry, and the sweep's message body. The
 * trace context is only for the sender's log and is not sent.
 */
export type Pointer = Readonly<z.infer<typeof pointerSchema>> & { readonly traceparent?: string };

/** One or more pointers to events of one aggregate type that travel in one message. */
export type Pack<Item extends Pointer = Pointer> = readonly Item[];

/** Maximum number of pointers in a pack. */
export const maxPackPointers = 100;

/**
 * Maximum size of a pack in bytes. EventBridge and SQS bill in units of 64 KB; the rest is for the
 * envelope.
 */
const packMaxBytes = 56_000;

/**
 * Divides pointers into packs. A pack has pointers of one aggregate type in their order, and is
 * limited in number and in bytes.
 *
 * @param maxPointers maximum number of pointers in a pack, from 1 to `maxPackPointers`.
 */
export function packPointers<Item extends Pointer>(
  pointers: readonly Item[],
  maxPointers: number,
): readonly Pack<Item>[] {
  return [...Map.groupBy(pointers, ({ aggregateType }) => aggregateType).values()].flatMap((ofType) =>
    fill(ofType, { maxItems: maxPointers, maxBytes: packMaxBytes, bytesOf: (pointer) => packText([pointer]).length }),
  );
}

/**
 * Divides pointers into packs, and packs into calls of at most `entriesPerCall` packs that fit into
 * a call.
 */
export function intoCalls<Item extends Pointer>(
  pointers: readonly Item[],
  maxPointers: number,
): readonly (readonly Pack<Item>[])[] {
  const bytesOf = (pack: Pack) => packText(pack).length;
  return fill(packPointers(pointers, maxPointers), { maxItems: entriesPerCall, maxBytes: callMaxBytes, bytesOf });
}

interface FillLimits<Item> {
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly bytesOf: (item: Item) => number;
}

/** Splits a list into chunks that are limited in items and in bytes. */
function fill<Item>(
  items: readonly Item[],
  { maxItems, maxBytes, bytesOf }: FillLimits<Item>,
): readonly (readonly Item[])[] {
  const filled: Item[][] = [];
  let bytes = 0;
  for (const item of items) {
    const own = bytesOf(item);
    const last = filled.at(-1);
    if (last === undefined || last.length === maxItems || bytes + own > maxBytes) {
      filled.push([item]);
      bytes = own;
    } else {
      last.push(item);
      bytes += own;
    }
  }
  return filled;
}

/**
 * Encodes a pack of one aggregate type in ASCII. An aggregate's id may contain characters that SQS
 * rejects (U+FFFE and U+FFFF), and its event could otherwise never be sent.
 *
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
export function packText(pack: Pack): string {
  const toEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const events = pack.map(({ eventId, aggregateId }) => ({ eventId, aggregateId }));
  return JSON.stringify({ aggregateType: pack[0]?.aggregateType, events }).replace(/[^ -~]/g, toEscape);
}

const packSchema = z.object({
  aggregateType: z.string().min(1),
  events: z
    .array(z.object({ eventId: eventIdSchema, aggregateId: z.string().min(1) }))
    .min(1)
    .max(maxPackPointers),
});

/** A pack, or the single pointer of an older version. */
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

/** The event ids in a message body, or the reason why it is unreadable. */
export type PointerReading =
  | { readonly outcome: 'read'; readonly eventIds: readonly string[] }
  | { readonly outcome: 'unreadable'; readonly reason: string };

/**
 * Reads a queue message's body in any shape of the contract:
 *
 * - a pack of pointers or a single pointer, bare or in the EventBridge envelope,
 * - the envelope of an Atlas Trigger's partner event source (`detail.fullDocument._id`, plain or
 *   Extended JSON).
 *
 * It returns only the ids of the events. The consumer reads everything else from the events
 * themselves.
 *
 * @example
 * const events = [{ eventId: '66a0c0ffee0123456789abcd', aggregateId: 'a' }];
 * readPointers(JSON.stringify({ aggregateType: 'graph', events }));
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
      'the body is neither pointers to events, nor an EventBridge ' +
      'envelope around them, nor the envelope of an Atlas Trigger',
  };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}
