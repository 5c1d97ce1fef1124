/**
 * Turns what the driver throws into outgraph's faults. Neo4j's messages may quote property values, so a data fault gets
 * a message of its own; whatever is not known to be the data's fault counts as Neo4j not being available, and is
 * retried.
 *
 * Codes: https://neo4j.com/docs/status-codes/current/errors/all-errors/
 */
import { Neo4jError } from 'neo4j-driver';
import { Fault } from '../contract/fault.ts';
import { connectionProblem } from '../runtime/connection-problem.ts';

const constraintCode = 'Neo.ClientError.Schema.ConstraintValidationFailed';

/** Refusals of what a statement was given as values. */
const dataCodes: ReadonlySet<string> = new Set([
  'Neo.ClientError.Statement.TypeError',
  'Neo.ClientError.Statement.ArgumentError',
  'Neo.ClientError.Statement.ArithmeticError',
  'Neo.ClientError.Statement.PropertyNotFound',
  'Neo.ClientError.Request.Invalid',
]);

/** Neo4j does not let the user in; what the person who runs it has to know of each. */
const credentialCodes: ReadonlyMap<string, string> = new Map([
  ['Neo.ClientError.Security.Unauthorized', 'NEO4J_USERNAME or NEO4J_PASSWORD is wrong'],
  [
    'Neo.ClientError.Security.AuthenticationRateLimit',
    'too many wrong passwords in a row; it looks again in some seconds',
  ],
  ['Neo.ClientError.Security.CredentialsExpired', 'the password has to be changed before it is used'],
  ['Neo.ClientError.Security.TokenExpired', 'the token has expired'],
]);

const permissionCode = 'Neo.ClientError.Security.Forbidden';

/** Runs a graph operation; whatever the driver throws becomes a fault. */
export async function withNeo4jFaults<Result>(operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    throw translateNeo4jError(error);
  }
}

/** The fault that `error` stands for. */
export function translateNeo4jError(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof StartOver) {
    return new Fault('neo4j-unavailable', `Other transactions were in the way for too long. ${error.message}`, {
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
      `Neo4j does not let this user do what its part does${deniedText(error.message)}: give it the role of its part (docs/explanation/security.md).`,
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
      'A key or an indexed property is longer than Neo4j can index (about 8 kB for all its values).',
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
      'Neo4j has no database of the name in NEO4J_DATABASE, or it is stopped: correct the setting, or create or start the database.',
      { cause: error },
    );
  }
  return new Fault('neo4j-unavailable', `Neo4j ${unavailableText(error)}`, { cause: error });
}

const reached = { server: 'Neo4j', setting: 'NEO4J_URI', withTls: 'begin with neo4j+s:// or bolt+s://' } as const;

/** The driver's own codes; those of the server begin with `Neo.`. */
const connectionCodes: ReadonlySet<string> = new Set(['ServiceUnavailable', 'SessionExpired', 'N/A']);

function unavailableText(error: Neo4jError): string {
  const problem = connectionCodes.has(error.code) ? connectionProblem(messagesOf(error), reached) : null;
  return problem === null ? `did not answer as it should (${error.code}).` : `cannot be reached: ${problem}`;
}

/** A routing driver wraps what each server said. */
function messagesOf(error: unknown): readonly string[] {
  return error instanceof Error ? [error.message, ...messagesOf(error.cause)] : [];
}

/** The server's code, where a routing driver passes it on in a cause. */
function codeOf(error: Neo4jError): string {
  return error.cause instanceof Neo4jError && connectionCodes.has(error.code) ? codeOf(error.cause) : error.code;
}

const databaseCodes: ReadonlySet<string> = new Set(['Neo.ClientError.Database.DatabaseNotFound']);

/** Runs work on one server; a fault of that server names its address, which never holds a user or a password. */
export async function namingNeo4j<Result>(uri: string, work: () => Promise<Result>): Promise<Result> {
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
 * Thrown to roll back and begin the transaction again: what it found is out of date. No error of Neo4j's, so that the
 * driver does not retry it after the second that it waits at first; what stood in the way is over in milliseconds.
 */
export class StartOver extends Error {}

/**
 * Runs a transaction's work; an error of the server after which the work can begin again at once becomes `StartOver`,
 * and one that the same work would meet again becomes a fault, so that the driver does not retry it.
 */
export async function withStartOver<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (isOutdated(error))
      throw new StartOver('The server refused a step that may pass in a moment.', { cause: error });
    throw isOverloaded(error) ? translateNeo4jError(error) : error;
  }
}

/**
 * Memory of one transaction or of all of them, and the transaction's time.
 * https://neo4j.com/docs/operations-manual/5/performance/memory-configuration/
 */
const overloadCodes =
  /^Neo\.\w+\.(General\.(MemoryPoolOutOfMemoryError|TransactionOutOfMemoryError|OutOfMemoryError|StackOverFlowError)|Transaction\.TransactionTimedOut\w*)$/;

function isOverloaded(error: unknown): boolean {
  return error instanceof Neo4jError && overloadCodes.test(error.code);
}

/** Whether it was the limit of one transaction that was exceeded, and not what all of them share. */
export function isTransactionLimit(error: unknown): boolean {
  const cause = error instanceof Fault && error.code === 'graph-overloaded' ? error.cause : undefined;
  if (!(cause instanceof Neo4jError)) return false;
  return /TransactionOutOfMemoryError$/.test(cause.code) || /\bmemory\.transaction\.max\b/.test(cause.message);
}

// Both from the beginning of the message: what follows may quote values, and a value may be any text.
/**
 * A relationship came to a node that was about to go; another transaction entered an aggregate that this one did not
 * know.
 */
const passingViolation =
  /^Cannot delete node<\d+>, because it still has relationships|^Node\(\d+\) already exists with label `OutgraphAggregate` and property `key`/;

function isOutdated(error: unknown): boolean {
  if (!(error instanceof Neo4jError)) return false;
  // Another transaction deleted what was found; or two wait for each other's locks.
  if (error.code === 'Neo.ClientError.Statement.EntityNotFound') return true;
  if (error.code === 'Neo.TransientError.Transaction.DeadlockDetected') return true;
  return error.code === constraintCode && passingViolation.test(error.message);
}

/**
 * A relationship of that id is there already: another transaction made the shared one, or the graph does not fit the
 * manifest.
 */
export function isRelationshipTaken(error: unknown): boolean {
  return (
    error instanceof Neo4jError &&
    error.code === constraintCode &&
    /^Relationship\(\d+\) already exists with type `\w+` and property `_outgraphId`/.test(error.message)
  );
}

/**
 * What a unique constraint of the user's says of a write: which label or type, and which of its properties. Null for
 * any other error.
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
 * What is denied, in Neo4j's words, as far as they name nothing but the privilege and names of labels, types and
 * properties.
 */
function deniedText(message: string): string {
  const denied = /^([A-Z][\w ',:]{0,200}?) (?:is|are) not allowed for user/.exec(message);
  return denied === null ? '' : ` (${denied[1]})`;
}
