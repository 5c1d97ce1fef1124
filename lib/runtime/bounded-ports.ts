/** Bounds all ports that reach one server by the time that an invocation has left: see `within-time.ts`. */
import { withinTime } from './within-time.ts';

type ServerPorts = Readonly<Record<string, (...given: never[]) => Promise<unknown>>>;

/**
 * The same ports, but each call ends with a `time-up` fault when its server does not answer in time.
 *
 * @param millis how long a call that begins now may take.
 * @param failed told of every failure of a call.
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

/** The same steps, but waiting for each of them ends with a `time-up` fault when its server does not answer in time. */
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
