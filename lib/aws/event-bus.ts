/**
 * Puts pointers on the EventBridge bus. A call takes ten entries at most and answers for each entry by itself: a call that succeeded may still have
 * refused some, and a missing answer is a refusal.
 *
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { Fault } from '../contract/fault.ts';
import { type Pointer, pointerSource } from '../contract/pointer.ts';

/**
 * Sends at most `pointersPerCall` pointers, and returns those that the bus refused.
 *
 * @throws Fault `bus-unavailable` if the call itself failed, after the SDK's own retries.
 */
export async function sendPointers(
  client: EventBridgeClient,
  busName: string,
  pointers: readonly Pointer[],
): Promise<readonly Pointer[]> {
  const entries = pointers.map(({ eventId, aggregateType, aggregateId }) => ({
    EventBusName: busName,
    Source: pointerSource,
    DetailType: aggregateType,
    Detail: JSON.stringify({ eventId, aggregateType, aggregateId }),
  }));
  try {
    const answer = await client.send(new PutEventsCommand({ Entries: entries }));
    return pointers.filter((_, index) => answer.Entries?.[index]?.EventId === undefined);
  } catch (error) {
    throw new Fault(
      'bus-unavailable',
      `EventBridge did not take the call (${error instanceof Error ? error.name : typeof error}).`,
      {
        cause: error,
      },
    );
  }
}
