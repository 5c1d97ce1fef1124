/**
 * Sends packs of pointers to the EventBridge bus. A call takes at most ten entries, and its response has a result for
 * each: a successful call may still have refused some. A missing result counts as a refusal.
 *
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
import { EventBridgeClient, PutEventsCommand, type PutEventsResultEntry } from '@aws-sdk/client-eventbridge';
import { Fault } from '../contract/fault.ts';
import { type Pack, packText, pointerSource } from '../contract/pointer.ts';

export interface EventBusOptions {
  /** Defaults to the endpoint of the region or the environment. */
  readonly endpoint?: string;
  /** Time-out of a call, in milliseconds; a call that exceeds it is retried once. */
  readonly requestMillis?: number;
}

const connectMillis = 1_000;

/**
 * Creates the client of the bus. A call without a response ends within twice `requestMillis` and a second (twice that,
 * if responses start and break off). That is below the publisher's lease and the time it reserves at its end. The
 * client retries only once: the flow itself retries, and checks its clock and its lease in between.
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
      // The time-out above ends with the first byte of the response, this one with the last.
      socketTimeout: requestMillis,
    },
  });
}

/**
 * Sends the packs of one call, and returns those that the bus refused.
 *
 * @throws Fault `bus-unavailable` if the call itself failed, after the SDK's retries.
 */
export async function sendPacks(
  client: EventBridgeClient,
  busName: string,
  packs: readonly Pack[],
): Promise<readonly Pack[]> {
  const entries = packs.map((pack) => ({
    EventBusName: busName,
    Source: pointerSource,
    DetailType: pack[0]?.aggregateType,
    Detail: packText(pack),
  }));
  try {
    const answer = await client.send(new PutEventsCommand({ Entries: entries }));
    return packs.filter((_, index) => !isTaken(answer.Entries?.[index]));
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
