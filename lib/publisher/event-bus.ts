/**
 * Puts pointers on the EventBridge bus. A call takes ten entries at most and answers for each entry by itself: a call
 * that succeeded may still have refused some, and a missing answer is a refusal.
 *
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
import { EventBridgeClient, PutEventsCommand, type PutEventsResultEntry } from '@aws-sdk/client-eventbridge';
import { Fault } from '../contract/fault.ts';
import { type Pointer, pointerSource, pointerText } from '../contract/pointer.ts';

export interface EventBusOptions {
  /** Left out, it is the region's, or what the environment names. */
  readonly endpoint?: string;
  /** A call that is not answered by then is made once more, and then has failed. */
  readonly requestMillis?: number;
}

const connectMillis = 1_000;

/**
 * Opens the client of the bus. A call without an answer ends within twice `requestMillis` and a second (twice that, if
 * answers begin and break off), which is below the publisher's lease and the time that it leaves itself at its end.
 * There is only one retry here: the flow sends again itself, and looks at its clock and its lease in between.
 */
export function connectEventBus({ endpoint, requestMillis = 2_500 }: EventBusOptions = {}): EventBridgeClient {
  return new EventBridgeClient({
    ...(endpoint === undefined ? {} : { endpoint }),
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: Math.min(connectMillis, requestMillis),
      requestTimeout: requestMillis,
      // Without it, the time-out above is only logged.
      throwOnRequestTimeout: true,
      // The one above ends with the answer's first byte, this one with its last.
      socketTimeout: requestMillis,
    },
  });
}

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
    Detail: pointerText({ eventId, aggregateType, aggregateId }),
  }));
  try {
    const answer = await client.send(new PutEventsCommand({ Entries: entries }));
    return pointers.filter((_, index) => !isTaken(answer.Entries?.[index]));
  } catch (error) {
    throw new Fault(
      'bus-unavailable',
      `EventBridge did not take the call (${error instanceof Error ? error.name : typeof error}).`,
      { cause: error },
    );
  }
}

function isTaken(answer: PutEventsResultEntry | undefined): boolean {
  return answer?.EventId !== undefined && answer.ErrorCode === undefined;
}
