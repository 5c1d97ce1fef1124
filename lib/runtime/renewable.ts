/** A connection that is replaced if its server stays silent. Calls on the old one fail. */
import { Fault } from '../contract/fault.ts';

export class Renewable<Connection extends { close(): Promise<void> }> {
  readonly #connect: () => Connection;
  #connection: Connection;

  constructor(connect: () => Connection) {
    this.#connect = connect;
    this.#connection = connect();
  }

  /** The current connection; get it for each use. */
  get current(): Connection {
    return this.#connection;
  }

  /** Opens a new connection if the error means that the server did not answer in time. */
  readonly renewIfSilent = (error: unknown): void => {
    if (!(error instanceof Fault) || error.code !== 'time-up') return;
    const silent = this.#connection;
    this.#connection = this.#connect();
    // Not awaited: the server does not answer.
    silent.close().catch(() => undefined);
  };

  close(): Promise<void> {
    return this.#connection.close();
  }
}
