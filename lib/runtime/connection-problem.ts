/** Explains why a server cannot be reached, from errors of the network and TLS. Uses no driver. */

/** A server and the setting of its address. */
export interface ConnectionTarget {
  readonly server: 'MongoDB' | 'Neo4j';
  readonly setting: 'MONGODB_URI' | 'NEO4J_URI';
  readonly withTls: string;
}

type Sentence = (target: ConnectionTarget) => string;

const certificateAuthority: Sentence = () =>
  'its certificate is self-signed, or from an authority that Node does not ' +
  'know. Give Node the certificate of that authority in NODE_EXTRA_CA_CERTS.';

const silent: Sentence = () =>
  'the connection opens, but the server does not answer. ' +
  'Check that the server is not paused, starting or overloaded, and that no firewall blocks it.';

/** Only a change of the setting or of the server helps, and waiting does not. */
const lasting = true;

/** The first match applies. Also matches messages, because some drivers pass on no codes. */
const problems: readonly (readonly [RegExp, Sentence, boolean?])[] = [
  [
    /ECONNREFUSED/,
    ({ setting }) =>
      `nothing listens there (ECONNREFUSED). Check that the server is running, and the host and port in ${setting}.`,
  ],
  [
    /ENOTFOUND|EAI_AGAIN|ENODATA/,
    ({ setting }) =>
      `its host name cannot be resolved. Check the spelling in ${setting}, and the name servers of this machine.`,
  ],
  [
    /EHOSTUNREACH|ENETUNREACH/,
    ({ setting }) => `the network has no route to it. Check the host in ${setting}, and the firewall.`,
  ],
  [
    /responded HTTP/i,
    ({ setting }) => `a web server answers there. Check the port in ${setting}: Bolt uses 7687, the browser 7474.`,
    lasting,
  ],
  [
    /ALTNAME_INVALID|does not match certificate/,
    ({ setting }) =>
      `its certificate is for another host name. Use a name in ${setting} that the ` +
      'certificate has, or give the server a certificate for this one.',
    lasting,
  ],
  [
    /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|certificate (?:has expired|is not yet valid)/,
    () => "its certificate has expired, or is not valid yet. Renew it, and check this machine's clock.",
  ],
  [/SELF_SIGNED|UNABLE_TO_\w+|self-signed|unable to (?:verify|get)|not trusted/, certificateAuthority, lasting],
  [
    /WRONG_VERSION_NUMBER|wrong version number|EPROTO|PACKET_LENGTH|SSL routines/,
    ({ setting }) =>
      `the server does not speak TLS, and ${setting} asks for it. ` +
      'Enable TLS on the server. Inside a private network, the worker and the commands can do without: ' +
      'OUTGRAPH_ALLOW_PLAIN_CONNECTIONS in docs/reference/settings.md.',
    lasting,
  ],
  [
    /Active conn count = [1-9]/,
    () => 'all connections of this process are in use, and none became free in time. Run fewer commands at once.',
  ],
  [/ETIMEDOUT|timed out|timeout/i, silent],
  [
    /ECONNRESET|EPIPE|closed/,
    ({ setting, withTls }) =>
      `it closed the connection. If it expects TLS, ${withTls} in ${setting}. ` +
      "If the port belongs to another server, correct it. Otherwise check the server's log.",
  ],
];

/** Why a server cannot be reached. */
export interface ConnectionProblem {
  /** A sentence with the cause and one with the remedy. */
  readonly text: string;
  /** `configuration-invalid` if waiting does not help. */
  readonly code: 'unavailable' | 'configuration-invalid';
}

/**
 * Returns null if the error has another cause.
 *
 * @param errors messages and codes of the error and its causes. The result quotes none of them.
 */
export function connectionProblem(errors: readonly string[], target: ConnectionTarget): ConnectionProblem | null {
  const text = errors.join('\n');
  const [, sentence, isLasting] = problems.find(([pattern]) => pattern.test(text)) ?? [];
  if (sentence === undefined) return null;
  return { text: sentence(target), code: isLasting ? 'configuration-invalid' : 'unavailable' };
}
