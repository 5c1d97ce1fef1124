/** Opens the port that a command answers on. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { Refusal } from './run-command.ts';

/** @param otherwise what to do where the port cannot be had. @throws Refusal that names the port. */
export async function listen(server: Server, port: number, otherwise: string): Promise<void> {
  try {
    server.listen(port);
    await once(server, 'listening');
  } catch (error) {
    throw portRefusal(error, port, otherwise);
  }
}

/** The refusal that an error of `listen` stands for; another error as it is. */
export function portRefusal(error: unknown, port: number, otherwise: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'EADDRINUSE') return new Refusal(`Port ${port} is in use by another process: ${otherwise}.`);
  if (code === 'EACCES') return new Refusal(`This user may not listen on port ${port}: ${otherwise}.`);
  return error;
}
