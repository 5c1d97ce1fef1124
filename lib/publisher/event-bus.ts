/**
 * Sends packs of pointers to the EventBridge bus. A call holds at most ten entries, and its
 * response has a result for each. A successful call may still have refused some entries. A missing
 * result counts as a refusal.
 *
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
import { EventBridgeClient, PutEventsCommand, type PutEventsResultEntry } from '@aws-sdk/client-eventbridge';
import { Fault } from '../contract/fault.ts';
import { type Pack, packText, pointerSource } from '../contract/pointer.ts';
import { awsTimeouts } from '../runtime/aws-client.ts';

export interface EventBusOptions {
  /** Defaults to the endpoint of the region or the environment. */
  readonly endpoint?: string;
  /** Time-out of a call, in milliseconds. A call that exceeds it is retried once. */
  readonly requestMillis?: number;
}

const connectMillis = 1_000;

/**
 * Creates the client of the bus. A call without a response ends within twice `requestMillis` plus a
 * second (twice that if responses start and break off). This is below the publisher's lease and
 * below the time that the publisher reserves at its end. The client retries only once, because the
 * flow itself retries and checks its clock and its lease in between.
 */
export function connectEventBus({ endpoint, requestMillis = 2_500 }: EventBusOptions = {}): EventBridgeClient {
  return new EventBridgeClient({
    ...(endpoint === undefined ? {} : { endpoint }),
    maxAttempts: 2,
    ...awsTimeouts({ connectMillis: Math.min(connectMillis, requestMillis), requestMillis }),
  });
}

/**
 * Sends the packs of one call and returns those that the bus refused.
 *
 * @throws Fault `bus-unavailable` if the call itself failed after the SDK's retries.
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
    const response = await client.send(new PutEventsCommand({ Entries: entries }));
    return packs.filter((_, index) => !isAccepted(response.Entries?.[index]));
  } catch (error) {
    throw new Fault(
      'bus-unavailable',
      `EventBridge request failed: ${error instanceof Error ? error.name : typeof error}. It will be retried.`,
      { cause: error },
    );
  }
}

function isAccepted(result: PutEventsResultEntry | undefined): boolean {
  return result?.EventId !== undefined && result.ErrorCode === undefined;
}
