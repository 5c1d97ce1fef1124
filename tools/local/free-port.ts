/**
 * Finds free loopback ports for servers that are started later. They are below the range for
 * outgoing connections (32768 and up on Linux), so that no connection takes the port before the
 * server does.
 */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const lowest = 12_000;
const highest = 32_000;

/**
 * Ports that this process has handed out. Other processes also draw at random and rarely get the
 * same port.
 */
const given = new Set<number>();

/** A port of 127.0.0.1 on which nothing listens, and that no other call returns. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, highest);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
