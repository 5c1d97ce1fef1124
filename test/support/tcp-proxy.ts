/**
 * A TCP proxy in front of a server, to simulate faults of a network or a crash. It can stop at one
 * exact message, so that a process is killed after the server has committed and before the client
 * reads the response, and it can cut a connection after a number of bytes. It searches for bytes
 * and knows no protocol; all other bytes pass.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Defines where to stop and what to do there. */
export interface Stop {
  /** Whether these bytes of a client are the ones to stop at. */
  readonly at: (request: Buffer) => boolean;
  /**
   * `request`: before the server receives them; `reply`: after the server has answered, before the
   * client receives the response.
   */
  readonly before: 'request' | 'reply';
  /** Called there once, while the bytes wait. `cut` ends the connection, `pass` continues. */
  readonly act: () => Promise<'cut' | 'pass'> | 'cut' | 'pass';
}

interface Armed extends Stop {
  readonly done: PromiseWithResolvers<void>;
}

export class TcpProxy {
  readonly #server = createServer({ noDelay: true }, (client) => this.#serve(client));
  readonly #target: { readonly host: string; readonly port: number };
  readonly #delayMillis: number;
  readonly #sockets = new Set<Socket>();
  readonly #toServer = new Set<Socket>();
  readonly #dropped = new WeakSet<Socket>();
  readonly #stops = new Set<Armed>();
  #bytesUntilCut = Number.POSITIVE_INFINITY;

  private constructor(target: { readonly host: string; readonly port: number }, delayMillis: number) {
    this.#target = target;
    this.#delayMillis = delayMillis;
  }

  /**
   * Listens on a new loopback port, in front of the server on `targetPort`.
   *
   * @param delayMillis how long bytes take in each direction, as between two machines.
   */
  static async start(targetPort: number, delayMillis = 0): Promise<TcpProxy> {
    const proxy = new TcpProxy({ host: '127.0.0.1', port: targetPort }, delayMillis);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Stops once, at the first message that matches. Resolves when the action is done. */
  stopOnce(stop: Stop): Promise<void> {
    const armed = { ...stop, done: Promise.withResolvers<void>() };
    this.#stops.add(armed);
    // A caller that awaits the promise gets the failure, but nobody has to await it.
    armed.done.promise.catch(() => undefined);
    return armed.done.promise;
  }

  /** Removes all pending stops and cuts. */
  clear(): void {
    this.#stops.clear();
    this.#bytesUntilCut = Number.POSITIVE_INFINITY;
  }

  /**
   * Cuts the connection that carries that byte from now on, in either direction. Replaces an
   * earlier call.
   */
  cutAfter(bytes: number): void {
    this.#bytesUntilCut = bytes;
  }

  /** Addresses of the proxy's connections, as the server sees them. */
  clientAddresses(): readonly string[] {
    return [...this.#toServer].map(({ localAddress, localPort }) => `${localAddress}:${localPort}`);
  }

  /**
   * Loses all further bytes of the open connections, and closes none of them, as a NAT gateway does
   * with idle ones. New connections work.
   */
  dropSilently(): void {
    for (const socket of this.#sockets) this.#dropped.add(socket);
  }

  /** Cuts all open connections. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cutAll();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(client: Socket): void {
    const server = connect({ ...this.#target, noDelay: true });
    const cut = () => {
      client.destroy();
      server.destroy();
    };
    this.#toServer.add(server);
    server.on('close', () => this.#toServer.delete(server));
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', cut).on('close', () => {
        this.#sockets.delete(socket);
        cut();
      });
    }
    let awaitingReply: Armed | undefined;
    this.#relay(client, server, async (bytes) => {
      const stop = [...this.#stops].find(({ at }) => at(bytes));
      if (stop === undefined) return 'pass';
      this.#stops.delete(stop);
      if (stop.before === 'request') return perform(stop);
      awaitingReply = stop;
      return 'pass';
    });
    this.#relay(server, client, async () => {
      const stop = awaitingReply;
      awaitingReply = undefined;
      return stop === undefined ? 'pass' : perform(stop);
    });
  }

  /** Forwards the data piece by piece, each after it was inspected. */
  #relay(from: Socket, to: Socket, look: (bytes: Buffer) => Promise<'cut' | 'pass'>): void {
    let passing = Promise.resolve();
    const cut = () => {
      from.destroy();
      to.destroy();
    };
    const pass = async (bytes: Buffer) => {
      if ((await look(bytes)) === 'cut') return cut();
      this.#bytesUntilCut -= bytes.length;
      if (this.#bytesUntilCut <= 0) {
        to.end(bytes.subarray(0, bytes.length + this.#bytesUntilCut), cut);
        this.#bytesUntilCut = Number.POSITIVE_INFINITY;
      } else if (!to.destroyed && !to.write(bytes)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    };
    from.on('data', (bytes: Buffer) => {
      if (this.#dropped.has(from)) return;
      const arrived = this.#delayMillis === 0 ? undefined : sleep(this.#delayMillis);
      passing = passing.then(() => arrived).then(() => pass(bytes));
    });
    from.on('end', () => {
      passing = passing.then(() => void to.end());
    });
  }
}

async function perform(stop: Armed): Promise<'cut' | 'pass'> {
  try {
    const decision = await stop.act();
    stop.done.resolve();
    return decision;
  } catch (error) {
    stop.done.reject(error);
    return 'cut';
  }
}

/** Matches bytes that contain all of these texts. */
export function holding(...texts: readonly string[]): (bytes: Buffer) => boolean {
  return (bytes) => texts.every((text) => bytes.includes(text));
}

/**
 * Bolt's messages without fields: a chunk of two bytes, the structure's marker, the message's
 * signature, and the end of the chunk.
 *
 * https://neo4j.com/docs/bolt/current/bolt/message/
 */
const boltMessage = (signature: number) => Buffer.from([0x00, 0x02, 0xb0, signature, 0x00, 0x00]);
const commit = boltMessage(0x12);
const begin = Buffer.from([0xb1, 0x11]);

/** The message that begins a transaction in Neo4j. */
export const neo4jBegin = (bytes: Buffer) => bytes.includes(begin);

/** The message that commits a transaction in Neo4j. */
export const neo4jCommit = (bytes: Buffer) => bytes.includes(commit);
