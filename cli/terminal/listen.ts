/** Opens the port of a command that serves HTTP. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { Refusal } from './run-command.ts';

/** Where to listen. */
export interface ListenAddress {
  /** A name or address of this machine; undefined: all of its addresses. */
  readonly host: string | undefined;
  readonly port: number;
}

/**
 * Listens on a port.
 *
 * @param otherwise what to do if the port is not available.
 * @throws Refusal that names the port, or the host that this machine does not have.
 */
export async function listen(server: Server, { host, port }: ListenAddress, otherwise: string): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new Refusal(`This machine has no address ${host} to listen on.`);
    throw portRefusal(error, port, otherwise);
  }
}

/** The refusal for an error of `listen`. Returns any other error unchanged. */
export function portRefusal(error: unknown, port: number, otherwise: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'EADDRINUSE') return new Refusal(`Port ${port} is in use by another process: ${otherwise}.`);
  if (code === 'EACCES') return new Refusal(`This user has no permission to listen on port ${port}: ${otherwise}.`);
  return error;
}
