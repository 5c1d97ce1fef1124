/**
 * Translates the driver's errors into outgraph's faults. Neo4j's messages may quote property
 * values, so a data fault gets its own message. Any error that is not known to come from the data
 * counts as Neo4j being unavailable, and is retried.
 *
 * Codes: https://neo4j.com/docs/status-codes/current/errors/all-errors/
 */
import { Neo4jError } from 'neo4j-driver';
import { Fault } from '../contract/fault.ts';
import { connectionProblem } from '../runtime/connection-problem.ts';

const constraintCode = 'Neo.ClientError.Schema.ConstraintValidationFailed';

/** Codes of statements whose values Neo4j refuses. */
const dataCodes: ReadonlySet<string> = new Set([
  'Neo.ClientError.Statement.TypeError',
  'Neo.ClientError.Statement.ArgumentError',
  'Neo.ClientError.Statement.ArithmeticError',
  'Neo.ClientError.Statement.PropertyNotFound',
  'Neo.ClientError.Request.Invalid',
]);

/** Codes of refused logins, with the reason. */
const credentialCodes: ReadonlyMap<string, string> = new Map([
  ['Neo.ClientError.Security.Unauthorized', 'NEO4J_USERNAME or NEO4J_PASSWORD is wrong'],
  [
    'Neo.ClientError.Security.AuthenticationRateLimit',
    'too many wrong passwords in a row; Neo4j accepts logins again in a few seconds',
  ],
  ['Neo.ClientError.Security.CredentialsExpired', 'the password must be changed before it can be used'],
  ['Neo.ClientError.Security.TokenExpired', 'the token has expired'],
]);

const permissionCode = 'Neo.ClientError.Security.Forbidden';

/** Runs a graph operation, and translates the driver's errors into faults. */
export async function withNeo4jFaults<Result>(operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    throw translateNeo4jError(error);
  }
}

/** Translates an error into a fault. */
export function translateNeo4jError(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof RetryTransaction) {
    return new Fault('neo4j-unavailable', `Other transactions blocked this one for too long. ${error.message}`, {
      cause: error.cause,
    });
  }
  if (!(error instanceof Neo4jError)) {
    return new Fault(
      'unexpected',
      `Applying failed outside Neo4j: ${error instanceof Error ? error.name : typeof error}.`,
      { cause: error },
    );
  }
  const credentials = credentialCodes.get(codeOf(error));
  if (credentials !== undefined) {
    return new Fault(
      'credentials-refused',
      `Neo4j refuses the user or its password (${codeOf(error)}): ${credentials}.`,
      {
        cause: error,
      },
    );
  }
  if (error.code === permissionCode) {
    return new Fault(
      'permission-denied',
      `Neo4j denies this user a privilege that its part needs${deniedText(error.message)}. ` +
        'Grant it the role of its part (docs/explanation/security.md).',
      { cause: error },
    );
  }
  if (isOverloaded(error)) {
    return new Fault('graph-overloaded', `Neo4j ran out of memory or time for the transaction (${error.code}).`, {
      cause: error,
    });
  }
  if (
    error.code !== constraintCode &&
    /property size|key is too large|exceeds? (?:the )?(?:maximum|limit).*index|too large to index/i.test(error.message)
  ) {
    return new Fault(
      'key-too-large',
      'A key or an indexed property is longer than Neo4j can index (about 8 kB for all its values together).',
      { cause: error },
    );
  }
  if (error.code === constraintCode) {
    return new Fault(
      'constraint-violation',
      `A constraint of the graph refuses the write${constraintText(error.message)}.`,
      { cause: error },
    );
  }
  if (dataCodes.has(error.code)) {
    return new Fault('graph-refused', `Neo4j refuses the values of this subgraph (${error.code}).`, { cause: error });
  }
  if (databaseCodes.has(codeOf(error))) {
    return new Fault(
      'configuration-invalid',
      'Neo4j has no database with the name in NEO4J_DATABASE, or it is ' +
        'stopped. Correct the setting, or create or start the database.',
      { cause: error },
    );
  }
  const problem = connectionCodes.has(error.code) ? connectionProblem(messagesOf(error), target) : null;
  if (problem === null) {
    const advice = "Try again; if it keeps failing, check the server's log.";
    return new Fault('neo4j-unavailable', `Neo4j failed a request (${error.code}). ${advice}`, { cause: error });
  }
  const code = problem.code === 'unavailable' ? 'neo4j-unavailable' : problem.code;
  return new Fault(code, `Neo4j cannot be reached: ${problem.text}`, { cause: error });
}

const target = { server: 'Neo4j', setting: 'NEO4J_URI', withTls: 'begin with neo4j+s:// or bolt+s://' } as const;

/** Codes of the driver itself; the server's codes begin with `Neo.`. */
const connectionCodes: ReadonlySet<string> = new Set(['ServiceUnavailable', 'SessionExpired', 'N/A']);

/** A routing driver wraps each server's error. */
function messagesOf(error: unknown): readonly string[] {
  return error instanceof Error ? [error.message, ...messagesOf(error.cause)] : [];
}

/** The server's code, even if a routing driver wraps it in a cause. */
function codeOf(error: Neo4jError): string {
  return error.cause instanceof Neo4jError && connectionCodes.has(error.code) ? codeOf(error.cause) : error.code;
}

const databaseCodes: ReadonlySet<string> = new Set(['Neo.ClientError.Database.DatabaseNotFound']);

/**
 * Runs work on one server, and adds the server's address to its faults, without user and password.
 */
export async function withNeo4jAddress<Result>(uri: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Fault) || !(error.code === 'neo4j-unavailable' || error.cause instanceof Neo4jError))
      throw error;
    throw new Fault(error.code, error.message.replace(/^Neo4j /, `Neo4j at ${new URL(uri).host} `), {
      cause: error.cause,
    });
  }
}

/**
 * Thrown to roll back the transaction and run it again, because it read stale data. It is not a
 * Neo4j error, which the driver would retry only after its first back-off of a second: the cause
 * passes within milliseconds.
 */
export class RetryTransaction extends Error {}

/**
 * Runs a transaction's work. A server error after which the work can be retried immediately becomes
 * `RetryTransaction`. An error that would occur again becomes a fault, so that the driver does not
 * retry it.
 */
export async function withTransactionRetry<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (isOutdated(error))
      throw new RetryTransaction('The server refused a step for a reason that may soon pass.', { cause: error });
    throw isOverloaded(error) ? translateNeo4jError(error) : error;
  }
}

/**
 * The memory limit of one transaction or of all, or the transaction's time-out.
 * https://neo4j.com/docs/operations-manual/5/performance/memory-configuration/
 */
const overloadCodes = [
  /^Neo\.\w+\.General\.(MemoryPoolOutOfMemoryError|TransactionOutOfMemoryError|OutOfMemoryError|StackOverFlowError)$/,
  /^Neo\.\w+\.Transaction\.TransactionTimedOut\w*$/,
];

function isOverloaded(error: unknown): boolean {
  return error instanceof Neo4jError && overloadCodes.some((code) => code.test(error.code));
}

/**
 * Whether one transaction's own memory limit was exceeded, not the one that all transactions share.
 */
export function isTransactionLimit(error: unknown): boolean {
  const cause = error instanceof Fault && error.code === 'graph-overloaded' ? error.cause : undefined;
  if (!(cause instanceof Neo4jError)) return false;
  return /TransactionOutOfMemoryError$/.test(cause.code) || /\bmemory\.transaction\.max\b/.test(cause.message);
}

// All these patterns match from the start of the message: the rest may quote values, which may be
// any text.
/**
 * Violations that a retry resolves: a relationship was added to a node that was to be deleted, or
 * another transaction has entered an aggregate that this one did not know.
 */
const transientViolations = [
  /^Cannot delete node<\d+>, because it still has relationships/,
  /^Node\(\d+\) already exists with label `OutgraphAggregate` and property `key`/,
];

function isOutdated(error: unknown): boolean {
  if (!(error instanceof Neo4jError)) return false;
  // Another transaction deleted the element, or two transactions wait for each other's locks.
  if (error.code === 'Neo.ClientError.Statement.EntityNotFound') return true;
  if (error.code === 'Neo.TransientError.Transaction.DeadlockDetected') return true;
  return error.code === constraintCode && transientViolations.some((violation) => violation.test(error.message));
}

/**
 * Whether a relationship with the same id exists: another transaction created the shared one, or
 * the graph differs from the manifest.
 */
export function isRelationshipTaken(error: unknown): boolean {
  return (
    error instanceof Neo4jError &&
    error.code === constraintCode &&
    /^Relationship\(\d+\) already exists with type `\w+` and property `_outgraphId`/.test(error.message)
  );
}

/**
 * The label or type, and the properties, of the user's unique constraint that refused a write. Null
 * for any other error.
 */
export function uniqueViolation(
  error: unknown,
): { readonly label: string; readonly properties: readonly string[] } | null {
  if (!(error instanceof Neo4jError) || error.code !== constraintCode) return null;
  const found =
    /^(?:Node|Relationship)\(\d+\) already exists with (?:label|type) `([^`]+)` and propert(?:y|ies) (.*)$/s.exec(
      error.message,
    );
  const [, label, rest = ''] = found ?? [];
  if (label === undefined) return null;
  return { label, properties: [...rest.matchAll(/`([A-Za-z][A-Za-z0-9_]*)` = /g)].map(([, name = '']) => name) };
}

function constraintText(message: string): string {
  const names = [...message.matchAll(/`([A-Za-z][A-Za-z0-9_]*)`/g)].map((match) => match[1]);
  return names.length === 0 ? '' : ` (${names.join(', ')})`;
}

/**
 * The denied privilege in Neo4j's words, if they contain only the privilege and names of labels,
 * types and properties.
 */
function deniedText(message: string): string {
  const denied = /^([A-Z][\w ',:]{0,200}?) (?:is|are) not allowed for user/.exec(message);
  return denied === null ? '' : ` (${denied[1]})`;
}
