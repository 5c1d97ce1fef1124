/**
 * Sends PutEvents as fast as the bus accepts them, in calls of ten with the publisher's
 * concurrency. This is the yardstick for any publisher.
 */
import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import pMap from 'p-map';
import { entriesPerCall, type Pointer, pointerSource } from '../lib/contract/pointer.ts';
import { concurrentCalls } from '../lib/publisher/send-all.ts';
import { inChunks } from '../lib/runtime/in-chunks.ts';

/** Puts the same pointer on the bus `count` times. Returns the count. */
export async function putEventsBare(
  bus: EventBridgeClient,
  busName: string,
  count: number,
  aggregateId: string,
): Promise<number> {
  const pointer: Pointer = { eventId: '0'.repeat(24), aggregateType: 'graph', aggregateId };
  const entry = {
    EventBusName: busName,
    Source: pointerSource,
    DetailType: pointer.aggregateType,
    Detail: JSON.stringify(pointer),
  };
  const calls = inChunks(new Array<typeof entry>(count).fill(entry), entriesPerCall);
  await pMap(calls, (entries) => bus.send(new PutEventsCommand({ Entries: [...entries] })), {
    concurrency: concurrentCalls,
  });
  return count;
}
