/**
 * A connection that is given up for a new one where its server stays silent: what waits on the old one ends with an
 * error.
 */
import { Fault } from '../contract/fault.ts';

export class Renewable<Connection extends { close(): Promise<void> }> {
  readonly #connect: () => Connection;
  #connection: Connection;

  constructor(connect: () => Connection) {
    this.#connect = connect;
    this.#connection = connect();
  }

  /** The connection as it is now: asked for at each use. */
  get current(): Connection {
    return this.#connection;
  }

  /** Connects anew if the error says that the server did not answer in time. */
  readonly renewIfSilent = (error: unknown): void => {
    if (!(error instanceof Fault) || error.code !== 'time-up') return;
    const silent = this.#connection;
    this.#connection = this.#connect();
    // Nobody waits for a server that does not answer.
    silent.close().catch(() => undefined);
  };

  close(): Promise<void> {
    return this.#connection.close();
  }
}
