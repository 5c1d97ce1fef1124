/**
 * Translates the MongoDB driver's errors into outgraph's faults. Faults omit the connection string,
 * user and command that a driver's or server's message may quote.
 *
 * Codes:
 * https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
 */
import { MongoError, MongoMissingDependencyError, MongoNetworkError, MongoServerSelectionError } from 'mongodb';
import { Fault } from '../contract/fault.ts';
import { type ConnectionProblem, connectionProblem } from '../runtime/connection-problem.ts';

/**
 * Runs a database operation and translates the driver's errors into a `mongodb-unavailable`,
 * `credentials-refused` or `permission-denied` fault.
 */
export async function withMongodbFaults<Result>(operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    throw translateMongodbError(error);
  }
}

/** Translates an error into a fault. A fault stays unchanged. */
export function translateMongodbError(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof MongoError) {
    const refusal = errorsWithin(error).flatMap((inner) => refusalOf(inner) ?? [])[0];
    if (refusal !== undefined) return new Fault(refusal.code, refusal.message, { cause: error });
    return unavailable(error);
  }
  // The look-up of a mongodb+srv:// address throws Node's errors, not the driver's.
  const problem = error instanceof Error && 'syscall' in error ? connectionProblem([error.message], target) : null;
  if (problem !== null)
    return new Fault('mongodb-unavailable', `MongoDB cannot be reached: ${problem.text}`, { cause: error });
  return new Fault('unexpected', `A MongoDB operation failed: ${error instanceof Error ? error.name : typeof error}.`, {
    cause: error,
  });
}

const target = { server: 'MongoDB', setting: 'MONGODB_URI', withTls: 'set tls=true' } as const;

/** The driver's view of each server after it found no usable one. */
interface Topology {
  readonly type?: string;
  readonly servers?: ReadonlyMap<string, { readonly type?: string; readonly error?: unknown }>;
}

function unavailable(error: MongoError): Fault {
  const code = error.code === undefined ? '' : ` (code ${error.code})`;
  const topology: Topology | null = error instanceof MongoServerSelectionError ? (error.reason ?? {}) : null;
  if (topology === null && !(error instanceof MongoNetworkError)) {
    const advice = "Try again; if it keeps failing, check the server's log.";
    return new Fault('mongodb-unavailable', `MongoDB request failed: ${error.name}${code}. ${advice}`, {
      cause: error,
    });
  }
  const addresses = [...(topology?.servers?.keys() ?? [])];
  const where = addresses.length === 0 ? '' : ` at ${addresses.join(', ')}`;
  const problem = (topology && topologyProblem(topology)) ?? networkProblem(error);
  return new Fault(
    problem.code === 'unavailable' ? 'mongodb-unavailable' : problem.code,
    `MongoDB${where} cannot be reached: ${problem.text}`,
    { cause: error },
  );
}

function topologyProblem({ type, servers }: Topology): ConnectionProblem | null {
  if (servers?.size === 0)
    return {
      code: 'configuration-invalid',
      text: 'no reachable server belongs to the configured replica set. Check replicaSet in MONGODB_URI.',
    };
  const isAnyReachable = [...(servers?.values() ?? [])].some((server) => (server.type ?? 'Unknown') !== 'Unknown');
  if (type !== 'ReplicaSetNoPrimary' || !isAnyReachable) return null;
  const check = 'If this persists, check that most of its members are running (rs.status()).';
  return { code: 'unavailable', text: `the replica set has no primary. ${check}` };
}

function networkProblem(error: MongoError): ConnectionProblem {
  const errors = errorsWithin(error).flatMap(({ message, cause }) => [message, textOf(cause)]);
  return connectionProblem(errors, target) ?? { code: 'unavailable', text: `${error.name}. Check the server's log.` };
}

/** Node's error code is not in its message. */
function textOf(cause: unknown): string {
  return cause instanceof Error ? `${cause.message} ${'code' in cause ? cause.code : ''}` : '';
}

/**
 * AuthenticationFailed and ReauthenticationRequired. Atlas returns AtlasError for these and many
 * other errors.
 */
const credentialCodes: ReadonlySet<unknown> = new Set([18, 391]);
const atlasCode = 8000;

/** MechanismUnavailable: the server does not offer the mechanism that the client asks for. */
const mechanismCode = 334;

/** Unauthorized: the user lacks a right, or the connection's user was removed. */
const permissionCode = 13;

interface Refusal {
  readonly code: 'credentials-refused' | 'permission-denied';
  readonly message: string;
}

function refusalOf(error: MongoError): Refusal | undefined {
  const { name, code: rawCode, message } = error;
  if (error instanceof MongoMissingDependencyError) {
    return {
      code: 'credentials-refused',
      message: `MONGODB_URI needs the package ${error.dependencyName}, which is not installed. Install it with npm.`,
    };
  }
  // A read that keeps every BSON type returns its error's code as an `Int32`.
  const code = rawCode === undefined ? undefined : Number(rawCode);
  if (code === mechanismCode) {
    return {
      code: 'credentials-refused',
      message:
        'MongoDB does not offer the authMechanism of MONGODB_URI (code 334). ' +
        'Name one that it offers; only Atlas offers MONGODB-AWS.',
    };
  }
  const atlas = code === atlasCode;
  if (
    credentialCodes.has(code) ||
    name === 'MongoMissingCredentialsError' ||
    (atlas && /bad auth|authentication failed/i.test(message)) ||
    (code === permissionCode && /requires authentication/i.test(message))
  ) {
    return {
      code: 'credentials-refused',
      message:
        `MongoDB refuses the user or its password (${name}, code ` +
        `${code ?? 'none'}). Check that MONGODB_URI names an existing user with its ` +
        "current password, and the user's database as authSource.",
    };
  }
  if (code === permissionCode || (atlas && /not allowed to do action|not authorized/i.test(message))) {
    return {
      code: 'permission-denied',
      message:
        `MongoDB denies this user an operation that its part needs${deniedText(message)}. ` +
        "Grant it the part's role (docs/explanation/security.md).",
    };
  }
  return undefined;
}

/** Returns the denied command and collection. The rest of the command contains values. */
function deniedText(message: string): string {
  const command = /execute command \{ (\w+): (?:"([\w.-]+)")?/.exec(message);
  if (command !== null) return ` (${command[1]}${command[2] === undefined ? '' : ` on ${command[2]}`})`;
  const action = /not allowed to do action \[(\w+)\] on \[([\w.-]+)\]/.exec(message);
  return action === null ? '' : ` (${action[1]} on ${action[2]})`;
}

/** Returns the error, its causes, and each server's error if no server could be selected. */
function errorsWithin(error: MongoError): readonly MongoError[] {
  const found = new Set<MongoError>();
  const collect = (inner: unknown): void => {
    if (!(inner instanceof MongoError) || found.has(inner)) return;
    found.add(inner);
    collect(inner.cause);
    const { reason } = inner as { reason?: { servers?: ReadonlyMap<string, { error: unknown }> } };
    for (const server of reason?.servers?.values() ?? []) collect(server.error);
  };
  collect(error);
  return [...found];
}
