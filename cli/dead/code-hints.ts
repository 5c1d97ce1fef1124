/**
 * Explains each code of a dead event, and what to do about it. This is the only source: the
 * commands print it, and a test compares the run book's table with it.
 */
import { type DataFaultCode, dataFaultCodes } from '../../lib/contract/fault.ts';

export interface CodeHint {
  readonly reason: string;
  readonly remedy: string;
}

const wrongContent: CodeHint = {
  reason: 'the projection or the payload is wrong',
  remedy:
    'correct the projection, deploy and redrive by code; or write the document again correctly: ' +
    'the newer event supersedes the dead one, which you can then redrive to settle it',
};

const missingConstraint: CodeHint = {
  reason: "the label's or type's constraint is missing, or has a different key",
  remedy: 'declare it, run the set-up, redrive',
};

const refusedByGraph: CodeHint = {
  reason: 'Neo4j refuses a value, or one of your own constraints does',
  remedy: 'check the constraints in Neo4j that are not from outgraph; redrive',
};

export const codeHints: Readonly<Record<DataFaultCode, CodeHint>> = {
  'aggregate-type-unknown': {
    reason: 'a writer is ahead of the deployment, or the deployment was rolled back',
    remedy: 'deploy the version that declares the type; redrive by code',
  },
  'payload-invalid': wrongContent,
  'projection-failed': wrongContent,
  'subgraph-invalid': wrongContent,
  'value-unsupported': wrongContent,
  'name-invalid': wrongContent,
  'element-duplicate': wrongContent,
  'subgraph-too-large': wrongContent,
  'key-invalid': wrongContent,
  'key-too-large': wrongContent,
  'key-mismatch': missingConstraint,
  'label-not-declared': missingConstraint,
  'type-not-declared': missingConstraint,
  'ownership-conflict': {
    reason: 'another aggregate lists the node; error.message names both',
    remedy: 'make one of them release the node, or make the node shared; redrive',
  },
  'constraint-violation': refusedByGraph,
  'graph-refused': refusedByGraph,
  'attempts-exhausted': {
    reason: 'published twelve times without being settled, while other events were',
    remedy: "search the consumer's log for its event id; redrive",
  },
  'consumer-crashed': {
    reason: 'the consumer crashed four times while it processed this event on its own',
    remedy: 'give the consumer more memory, or make the aggregate smaller; redrive',
  },
  'label-keyed': {
    reason: 'an additional label of a node has a key of its own',
    remedy: 'rename the additional label in the projection, deploy, redrive',
  },
  'labels-too-many': {
    reason: 'one event needs more new labels and relationship types than it may create',
    remedy: 'declare them and run the set-up, or move the varying part into a property; redrive',
  },
  'transaction-too-large': {
    reason: 'the aggregate alone needs more memory than Neo4j allows a transaction',
    remedy: 'raise db.memory.transaction.max, or split the aggregate; redrive',
  },
  'apply-failed': {
    reason: 'it failed every time on its own, while other events were applied',
    remedy: 'read the last error in error.message; redrive',
  },
  'position-in-future': {
    reason: 'a writer set the position itself',
    remedy: 'make the writer insert an empty timestamp; write the document again, and discard the event',
  },
  'event-invalid': { reason: 'it bypassed the validator', remedy: 'correct the document in the outbox; redrive' },
};

/** Null for a code that outgraph does not define: an event may have been marked by hand. */
export function hintFor(code: string): CodeHint | null {
  return isDataFaultCode(code) ? codeHints[code] : null;
}

export function isDataFaultCode(code: string): code is DataFaultCode {
  return (dataFaultCodes as readonly string[]).includes(code);
}
