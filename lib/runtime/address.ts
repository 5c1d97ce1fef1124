/**
 * Checks a server's address: its format, and whether the connection is encrypted. Only a server on
 * this machine may be used without encryption, unless a setting allows it.
 */
import { BlockList, isIP } from 'node:net';
import { ConnectionString } from 'mongodb-connection-string-url';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** @returns the change to make, or undefined. Never quotes the address: it may hold a password. */
export function mongodbUriProblem(uri: string): string | undefined {
  const address = parseOrNull(() => new ConnectionString(uri));
  if (address === null && /^mongodb(?:\+srv)?:/.test(uri))
    return 'must have a host, and its user and password percent-encoded: %40 for @, %2F for /, %3A for :, %25 for %';
  if (address === null) return 'must be a connection string that begins with mongodb:// or mongodb+srv://';
  const unchecked = ['tlsInsecure', 'tlsAllowInvalidCertificates', 'tlsAllowInvalidHostnames'];
  const insecure = unchecked.find((name) => optionOf(address, name) === 'true');
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
  if (scheme[1] === '+ssc' && !isLoopback(hostname(uri)))
    return 'must check the certificate: use +s, and give Node the certificate authority in NODE_EXTRA_CA_CERTS';
  return undefined;
}

/** Whether a valid address reaches another machine without encryption. */
export function isPlainAddress(uri: string): boolean {
  if (isLocalAddress(uri)) return false;
  if (!uri.startsWith('mongodb')) return /^(?:neo4j|bolt):/.test(uri);
  const address = parseOrNull(() => new ConnectionString(uri));
  if (address === null) return false;
  const encrypted = optionOf(address, 'tls') ?? optionOf(address, 'ssl') ?? (address.isSRV ? 'true' : 'false');
  return encrypted !== 'true';
}

/** Whether a valid address is of a server on this machine. */
export function isLocalAddress(uri: string): boolean {
  if (!uri.startsWith('mongodb')) return isLoopback(hostname(uri));
  const address = parseOrNull(() => new ConnectionString(uri));
  return address !== null && !address.isSRV && address.hosts.every((host) => isLoopback(withoutPort(host)));
}

function optionOf(address: ConnectionString, name: string): string | undefined {
  const found = [...address.searchParams].find(([key]) => key.toLowerCase() === name.toLowerCase());
  return found?.[1].toLowerCase();
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
