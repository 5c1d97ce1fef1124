/**
 * The one class of error that outgraph itself throws. Adapters translate what their driver throws into it; whatever
 * nobody recognises is taken for an infrastructure fault, because retrying too often is safe and giving up is not.
 */

import { printable } from './printable.ts';

/**
 * Why an event can never be applied as it is: these codes end up in the outbox as `error.code` of a dead event.
 */
export const dataFaultCodes = [
  /** The event does not have the shape of an outbox document (it was written past the validator). */
  'event-invalid',
  /** The event's position is far ahead of the cluster's time: the server did not assign it. */
  'position-in-future',
  /** No aggregate of this type is declared. */
  'aggregate-type-unknown',
  /** The payload is not what the aggregate type declares. */
  'payload-invalid',
  /** The projection threw on this payload. */
  'projection-failed',
  /** What the projection returned does not have the shape of a subgraph. */
  'subgraph-invalid',
  /** More than 10,000 elements in one subgraph. */
  'subgraph-too-large',
  /** The same node or relationship is listed twice in one subgraph. */
  'element-duplicate',
  /** A label, type or property name outside `^[A-Za-z][A-Za-z0-9_]{0,127}$`, or one that outgraph keeps for itself. */
  'name-invalid',
  /** A value that Neo4j cannot hold as a property: nested object, mixed array, Decimal128, binary … */
  'value-unsupported',
  /** A key value that is not a string, an integer or a boolean, or a node without any key. */
  'key-invalid',
  /** A key whose values are together too long for Neo4j's index. */
  'key-too-large',
  /** The label is keyed by another set of properties. */
  'key-mismatch',
  /** A node's additional label is one that has a key of its own. */
  'label-keyed',
  /** The subgraph needs more new labels and relationship types than one event may create. */
  'labels-too-many',
  /** The label has no uniqueness constraint and the consumer may not make one. */
  'label-not-declared',
  /** The relationship type has no uniqueness constraint and the consumer may not make one. */
  'type-not-declared',
  /** Another aggregate lists the same node, and did not let go of it in time. */
  'ownership-conflict',
  /** A constraint that outgraph did not make refuses the write. */
  'constraint-violation',
  /** Neo4j refuses the statement's values for another reason that a retry cannot mend. */
  'graph-refused',
  /** This subgraph alone needs more memory than Neo4j gives to one transaction. */
  'transaction-too-large',
  /** Failed each time it was applied on its own, while other events were applied. */
  'apply-failed',
  /** Published again as often as the sweep may, and never settled. */
  'attempts-exhausted',
  /** The consumer's process ended each time it tried this event, alone. */
  'consumer-crashed',
] as const;

export type DataFaultCode = (typeof dataFaultCodes)[number];

/** What is wrong around an event, not with it: all of these are retried. */
export const infrastructureFaultCodes = [
  'mongodb-unavailable',
  'neo4j-unavailable',
  'bus-unavailable',
  'queue-unavailable',
  /** A database refuses the user or its password, or the password has to be changed: it may have been rotated. */
  'credentials-refused',
  /** A database knows the user, and does not let it do what its part does. */
  'permission-denied',
  'set-up-missing',
  /** The graph belongs to another outbox. */
  'graph-of-another-outbox',
  /** The graph knows positions that the MongoDB cluster has not come to yet: another cluster gave them. */
  'clock-behind-graph',
  /** A setting is missing or wrong, or what it refers to is. */
  'configuration-invalid',
  /** What a setting refers to could not be read from SSM or Secrets Manager. */
  'secret-unavailable',
  /** The change stream cannot go on from its token: the oplog has rolled over, or the outbox was dropped. */
  'history-lost',
  /** A server did not answer before the function's time was up. */
  'time-up',
  /** Neo4j ran out of memory or time for a transaction: smaller ones may succeed. */
  'graph-overloaded',
  /** A transaction that outgraph did not begin holds a lock that the apply waits for. */
  'graph-locked',
  /** The process's catalog lacks an aggregate type that the set-up knew. */
  'catalog-outdated',
  /** A constraint that the subgraph needs is still being built. */
  'constraint-building',
  /** The change stream cannot get past one event that it cannot bring. */
  'change-event-too-large',
  /**
   * The graph's registry has a manifest of a form that this version does not read: a newer version has written it, and
   * was taken back.
   */
  'manifest-unknown',
  'unexpected',
] as const;

export type InfrastructureFaultCode = (typeof infrastructureFaultCodes)[number];

/**
 * What a writer may not do with its library: it could write without an event, or an event without its document. The
 * program is to be changed.
 */
export const writerFaultCodes = [
  /** A verb whose changes cannot be told, such as a bulk write. */
  'untracked',
  /** An event outside of a running transaction. */
  'no-transaction',
  /** A transaction that could be rolled back after its commit. */
  'write-concern',
] as const;

export type WriterFaultCode = (typeof writerFaultCodes)[number];

export type FaultCode = DataFaultCode | InfrastructureFaultCode | WriterFaultCode;

/**
 * A fault with a closed code. `retryable` is derived from the code: what is around an event may pass, all others never
 * do.
 *
 * A data fault's message names the path of what is wrong (`nodes[0].properties.address`) and never its value, because
 * it is kept in the outbox and read by people who need not see the payload. Names come from the payload as well, so
 * that every message is made one printable line.
 *
 * @example
 * throw new Fault('value-unsupported', 'nodes[0].properties.address: a nested object cannot be a property value');
 */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;

  constructor(code: FaultCode, message: string, options?: { readonly cause?: unknown }) {
    super(printable(message), options);
    this.code = code;
  }

  get retryable(): boolean {
    return (infrastructureFaultCodes as readonly string[]).includes(this.code);
  }
}

/** A fault of the event itself. */
export type DataFault = Fault & { readonly code: DataFaultCode };

/** Tells the faults that make an event dead from everything else that may be thrown. */
export function isDataFault(error: unknown): error is DataFault {
  return error instanceof Fault && (dataFaultCodes as readonly string[]).includes(error.code);
}

/**
 * What a log may say of an error: a fault's own words, of anything else only its name, because its message may hold a
 * connection string or a value.
 */
export function describeError(error: unknown): { readonly code: FaultCode; readonly reason: string } {
  if (error instanceof Fault) return { code: error.code, reason: error.message };
  return { code: 'unexpected', reason: error instanceof Error ? error.name : typeof error };
}
