/**
 * Checks a server's address: its format, and whether the connection is encrypted. Only a server on
 * this machine may be used without encryption.
 */
import { BlockList, isIP } from 'node:net';
import { ConnectionString } from 'mongodb-connection-string-url';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** @returns the change to make, or undefined. Never quotes the address: it may hold a password. */
export function mongodbUriProblem(uri: string): string | undefined {
  const address = parseOrNull(() => new ConnectionString(uri));
  if (address === null) return 'must be a connection string that begins with mongodb:// or mongodb+srv://';
  const option = (name: string) => {
    const found = [...address.searchParams].find(([key]) => key.toLowerCase() === name.toLowerCase());
    return found?.[1].toLowerCase();
  };
  const encrypted = (option('tls') ?? option('ssl') ?? (address.isSRV ? 'true' : 'false')) === 'true';
  if (!encrypted && !address.hosts.every((host) => isLoopback(withoutPort(host))))
    return 'must use TLS for a server that is not on this machine: add tls=true, or use mongodb+srv://';
  const unchecked = ['tlsInsecure', 'tlsAllowInvalidCertificates', 'tlsAllowInvalidHostnames'];
  const insecure = unchecked.find((name) => option(name) === 'true');
  if (insecure !== undefined)
    return `must not set ${insecure}: give Node the certificate authority in NODE_EXTRA_CA_CERTS`;
  return undefined;
}

/** @returns the change to make, or undefined. */
export function neo4jUriProblem(uri: string): string | undefined {
  const address = parseOrNull(() => new URL(uri));
  const scheme = /^(?:neo4j|bolt)(\+s|\+ssc)?:$/.exec(address?.protocol ?? '');
  if (address === null || scheme === null || address.hostname === '')
    return 'must be an address that begins with neo4j+s:// or bolt+s:// (on this machine also neo4j:// or bolt://)';
  if (address.username !== '' || address.password !== '')
    return 'must not hold a user: set NEO4J_USERNAME and NEO4J_PASSWORD';
  if (isLoopback(hostname(uri))) return undefined;
  if (scheme[1] === '+ssc')
    return 'must check the certificate: use +s, and give Node the certificate authority in NODE_EXTRA_CA_CERTS';
  if (scheme[1] === undefined)
    return 'must use TLS for a server that is not on this machine: begin with neo4j+s:// or bolt+s://';
  return undefined;
}

/** Whether a valid address is of a server on this machine; all others require TLS. */
export function isLocalAddress(uri: string): boolean {
  if (!uri.startsWith('mongodb')) return isLoopback(hostname(uri));
  const address = parseOrNull(() => new ConnectionString(uri));
  return address !== null && !address.isSRV && address.hosts.every((host) => isLoopback(withoutPort(host)));
}

function hostname(uri: string): string {
  return (parseOrNull(() => new URL(uri))?.hostname ?? '').replace(/^\[|\]$/g, '');
}

function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  const family = isIP(host);
  return family !== 0 && loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** `host:port`, `host`, or `[::1]:port`. */
function withoutPort(host: string): string {
  return host.startsWith('[') ? host.slice(1, host.indexOf(']')) : (host.split(':')[0] ?? host);
}

function parseOrNull<Parsed>(parse: () => Parsed): Parsed | null {
  try {
    return parse();
  } catch {
    return null;
  }
}
