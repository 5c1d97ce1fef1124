/**
 * The only error class that outgraph itself throws. Adapters translate their driver's errors into
 * it. An unknown error counts as an infrastructure fault, because too many retries are safe and
 * giving up is not.
 */

import { printable } from './printable.ts';

/**
 * Why an event can never be applied as it is. In the outbox, the code is `error.code` of the dead
 * event.
 */
export const dataFaultCodes = [
  /** The event does not have the shape of an outbox document: its writer bypassed the validator. */
  'event-invalid',
  /** The event's position is far ahead of the cluster's time: the server did not assign it. */
  'position-in-future',
  /** No aggregate of this type is declared. */
  'aggregate-type-unknown',
  /** The payload does not match the aggregate type's schema. */
  'payload-invalid',
  /** The projection threw on this payload. */
  'projection-failed',
  /** The projection's result does not have the shape of a subgraph. */
  'subgraph-invalid',
  /** The subgraph has more than 10,000 elements. */
  'subgraph-too-large',
  /** One subgraph lists the same node or relationship twice. */
  'element-duplicate',
  /**
   * A label, type or property name does not match `^[A-Za-z][A-Za-z0-9_]{0,127}$`, or is reserved
   * for outgraph.
   */
  'name-invalid',
  /**
   * Neo4j cannot store the value as a property: nested object, mixed array, Decimal128, binary …
   */
  'value-unsupported',
  /** A key value is not a string, an integer or a boolean, or a node has no key. */
  'key-invalid',
  /** Together, the values of a key are too long for Neo4j's index. */
  'key-too-large',
  /** The label has another set of key properties. */
  'key-mismatch',
  /** An additional label of a node has its own key. */
  'label-keyed',
  /** The subgraph needs more new labels and relationship types than one event may create. */
  'labels-too-many',
  /** The label has no uniqueness constraint, and the consumer may not create one. */
  'label-not-declared',
  /** The relationship type has no uniqueness constraint, and the consumer may not create one. */
  'type-not-declared',
  /** Another aggregate lists the same node and did not release it in time. */
  'ownership-conflict',
  /** A constraint that outgraph did not create rejects the write. */
  'constraint-violation',
  /** Neo4j rejects the statement's values for another reason that a retry cannot solve. */
  'graph-refused',
  /** This subgraph alone needs more memory than Neo4j allows one transaction. */
  'transaction-too-large',
  /** Failed each time it was applied on its own, while other events were applied. */
  'apply-failed',
  /** Published again the maximum number of times without being settled. */
  'attempts-exhausted',
  /** The consumer crashed each time it processed this event on its own. */
  'consumer-crashed',
] as const;

/** The code of a fault of the event itself. The event becomes dead. */
export type DataFaultCode = (typeof dataFaultCodes)[number];

/** Faults around an event, not of the event itself. They are all retried. */
export const infrastructureFaultCodes = [
  'mongodb-unavailable',
  'neo4j-unavailable',
  'bus-unavailable',
  'queue-unavailable',
  /**
   * A database rejects the user or password, or requires a new password. The password may have been
   * rotated.
   */
  'credentials-refused',
  /** A database knows the user, but denies an operation that the user's part needs. */
  'permission-denied',
  'set-up-missing',
  /** The graph belongs to another outbox. */
  'graph-of-another-outbox',
  /** The graph has positions ahead of the MongoDB cluster's time: another cluster assigned them. */
  'clock-behind-graph',
  /** A setting, or the value that it refers to, is missing or invalid. */
  'configuration-invalid',
  /** The value that a setting refers to could not be read from SSM or Secrets Manager. */
  'secret-unavailable',
  /**
   * The change stream cannot resume from its token: the oplog has rolled over, or the outbox was
   * dropped.
   */
  'history-lost',
  /** A server did not respond before the function's time was up. */
  'time-up',
  /** An event was not applied in the time that its writer waits for it. */
  'not-settled',
  /** Neo4j ran out of memory or time for a transaction. Smaller ones may succeed. */
  'graph-overloaded',
  /** A transaction that outgraph did not start holds a lock that the apply needs. */
  'graph-locked',
  /** The process's catalog lacks an aggregate type that the set-up knew. */
  'catalog-outdated',
  /** A constraint that the subgraph needs is still being built. */
  'constraint-building',
  /** The change stream cannot deliver an event because of its size. */
  'change-event-too-large',
  /**
   * A manifest in the graph's registry has the format of a newer version, which was rolled back.
   */
  'manifest-unknown',
  'unexpected',
] as const;

/** The code of a fault around an event. The event is retried. */
export type InfrastructureFaultCode = (typeof infrastructureFaultCodes)[number];

/**
 * Refusals of the writer library. Most are uses that could write a document without its event, or an
 * event without its document: fix the program.
 */
export const writerFaultCodes = [
  /** A method whose changes cannot be determined, such as a write with a collation. */
  'untracked',
  /** An event outside a running transaction. */
  'no-transaction',
  /** A transaction that could be rolled back after its commit. */
  'write-concern',
  /** A write matches more documents than one transaction takes. */
  'too-many-documents',
  /** A write in chunks failed after some of them were committed. */
  'unfinished',
] as const;

/** The code of a fault of the calling program. */
export type WriterFaultCode = (typeof writerFaultCodes)[number];

/**
 * The code of a {@link Fault}.
 *
 * @example
 * const code: FaultCode = error instanceof Fault ? error.code : 'unexpected';
 */
export type FaultCode = DataFaultCode | InfrastructureFaultCode | WriterFaultCode;

/**
 * An error with one of a fixed set of codes. `retryable` follows from the code: infrastructure
 * faults may pass, all others never do.
 *
 * A data fault's message names the path of the problem (`nodes[0].properties.address`) and never
 * its value, because it is stored in the outbox and read by people who need not see the payload.
 * Names come from the payload too, so every message is converted to one printable line of at most
 * 2,000 characters, outgraph's own limit (`lib/contract/printable.ts`).
 *
 * @example
 * const path = 'nodes[0].properties.address';
 * throw new Fault('value-unsupported', `${path}: a nested object cannot be a property value`);
 */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;

  constructor(code: FaultCode, message: string, options?: { readonly cause?: unknown }) {
    super(printable(message), options);
    this.code = code;
  }

  /** Whether the same operation may succeed later. */
  get retryable(): boolean {
    return (infrastructureFaultCodes as readonly string[]).includes(this.code);
  }
}

/** A fault of the event itself, which makes the event dead. */
export type DataFault = Fault & { readonly code: DataFaultCode };

/** Whether the error makes its event dead. */
export function isDataFault(error: unknown): error is DataFault {
  return error instanceof Fault && (dataFaultCodes as readonly string[]).includes(error.code);
}

/**
 * The loggable part of an error: a fault's own message, but only the name of any other error. Other
 * messages may contain a connection string or a value.
 */
export function describeError(error: unknown): { readonly code: FaultCode; readonly reason: string } {
  if (error instanceof Fault) return { code: error.code, reason: error.message };
  return { code: 'unexpected', reason: error instanceof Error ? error.name : typeof error };
}
