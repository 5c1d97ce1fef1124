/** Applies `within-time.ts` to all ports that wait for one server. */
import { withinTime } from './within-time.ts';

type ServerPorts = Readonly<Record<string, (...given: never[]) => Promise<unknown>>>;

/**
 * Returns the same ports, but a call fails with `time-up` if its server does not answer in time.
 *
 * @param millis returns how long a call that starts now may take.
 * @param failed called with the error of every failed call.
 */
export function boundedPorts<Ports extends { readonly [Port in keyof Ports]: ServerPorts[string] }>(
  server: string,
  ports: Ports,
  millis: () => number,
  failed: (error: unknown) => void = () => undefined,
): Ports {
  const bound = Object.entries<ServerPorts[string]>(ports).map(([name, port]) => [
    name,
    async (...given: never[]) => {
      try {
        return await withinTime(server, millis(), () => port(...given));
      } catch (error) {
        failed(error);
        throw error;
      }
    },
  ]);
  return Object.fromEntries(bound);
}

/** Yields the same steps, but fails with `time-up` if the server does not answer in time. */
export async function* boundedSteps<Step>(
  server: string,
  steps: AsyncIterable<Step>,
  millis: () => number,
): AsyncGenerator<Step> {
  const iterator = steps[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await withinTime(server, millis(), () => iterator.next());
      if (done === true) return;
      yield value;
    }
  } finally {
    // Not awaited: it may wait for the same server.
    Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}
