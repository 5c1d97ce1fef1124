/** A TCP proxy that cuts its connections in the middle of whatever travels: what a network does to a transaction, also between its commit and the answer. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface CuttingProxy {
  /** `bolt://` address of the proxy. */
  readonly uri: string;
  /** Cuts the connection that carries the byte so far from now, in either direction; replaces a cut that has not come yet. */
  readonly cutAfter: (bytes: number) => void;
  /** Cuts are no longer made. */
  readonly calm: () => void;
  /** As the server sees its clients. */
  readonly clientAddresses: () => readonly string[];
  readonly close: () => Promise<void>;
}

/** Starts a proxy before the server at `target`, a `bolt://` address. */
export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target);
  const servers = new Set<Socket>();
  let bytesLeft = Number.POSITIVE_INFINITY;

  const proxy = createServer({ noDelay: true }, (client) => {
    const server = connect({ host: hostname, port: Number(port), noDelay: true });
    servers.add(server);
    const cut = () => {
      servers.delete(server);
      client.destroy();
      server.destroy();
    };
    const relay = (from: Socket, to: Socket) => {
      from.on('data', (data) => {
        bytesLeft -= data.length;
        if (bytesLeft > 0) {
          to.write(data);
          return;
        }
        to.write(data.subarray(0, data.length + bytesLeft));
        bytesLeft = Number.POSITIVE_INFINITY;
        to.end();
        cut();
      });
      from.on('error', cut).on('close', cut);
    };
    relay(client, server);
    relay(server, client);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    uri: `bolt://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    cutAfter: (bytes) => {
      bytesLeft = bytes;
    },
    calm: () => {
      bytesLeft = Number.POSITIVE_INFINITY;
    },
    clientAddresses: () => [...servers].map((socket) => `${socket.localAddress}:${socket.localPort}`),
    close: async () => {
      for (const socket of servers) socket.destroy();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}
