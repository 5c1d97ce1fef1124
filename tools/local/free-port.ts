/**
 * Finds free loopback ports for servers that are started later. They are below the range for
 * outgoing connections (32768 and up on Linux), so that no connection takes the port before the
 * server does.
 */
import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { createServer } from 'node:net';

const lowest = 12_000;
const highest = 32_000;

/**
 * A port of 127.0.0.1 on which nothing listens, and that no other call returns, in any process, as
 * long as this process runs.
 *
 * @param draw returns a port to try.
 */
export async function freePort(draw: () => number = () => randomInt(lowest, highest)): Promise<number> {
  for (;;) {
    const port = draw();
    const reservation = await reserve(port);
    if (reservation === null) continue;
    if (await isFree(port)) return port;
    reservation.close();
  }
}

/**
 * Reserves a port for a server by holding the UDP port of the same number, which no server uses.
 * The system releases it with the process. Null if another call has it.
 */
function reserve(port: number): Promise<Socket | null> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.once('error', () => resolve(null));
    socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => resolve(socket.unref()));
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
