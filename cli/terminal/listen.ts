/** Opens the port of a command that serves HTTP. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { Refusal } from './run-command.ts';

/**
 * Listens on a port.
 *
 * @param otherwise what to do if the port is not available.
 * @throws Refusal that names the port.
 */
export async function listen(server: Server, port: number, otherwise: string): Promise<void> {
  try {
    server.listen(port);
    await once(server, 'listening');
  } catch (error) {
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
