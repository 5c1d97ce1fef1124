/**
 * What each code of a dead event means, and what a person does about it. The one source: the commands print it, and the
 * run book's table is compared with it.
 */
import { type DataFaultCode, dataFaultCodes } from '../../lib/contract/fault.ts';

/** In a person's words. */
export interface CodeHint {
  readonly reason: string;
  readonly remedy: string;
}

const wrongContent: CodeHint = {
  reason: 'the projection or the payload is wrong',
  remedy:
    'correct the projection, deploy, redrive by the code; or write the document again correctly: the newer event supersedes, and the dead one may be redriven to be settled',
};

const missingConstraint: CodeHint = {
  reason: "the label's or type's constraint is missing, or on another key",
  remedy: 'declare it, run the set-up, redrive',
};

const refusedByGraph: CodeHint = {
  reason: 'a constraint of yours, or a value, that Neo4j refuses',
  remedy: "look at Neo4j's own constraints; redrive",
};

/** Every code has one. */
export const codeHints: Readonly<Record<DataFaultCode, CodeHint>> = {
  'aggregate-type-unknown': {
    reason: 'a writer is ahead of the deployment, or this one was rolled back',
    remedy: 'deploy the version that knows the type; redrive by the code',
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
    remedy: 'let one of them let go, or make the node shared; redrive',
  },
  'constraint-violation': refusedByGraph,
  'graph-refused': refusedByGraph,
  'attempts-exhausted': {
    reason: 'published twelve times while others were settled',
    remedy: "search its event id in the consumer's log; redrive",
  },
  'consumer-crashed': {
    reason: 'the process ended four times with this event, alone',
    remedy: 'more memory for the consumer, or a smaller aggregate; redrive',
  },
  'label-keyed': {
    reason: 'an additional label of a node is one that has a key of its own',
    remedy: 'give the additional label another name in the projection, deploy, redrive',
  },
  'labels-too-many': {
    reason: 'one event needs more new labels and relationship types than it may create',
    remedy: 'declare them and run the set-up, or put what varies into a property; redrive',
  },
  'transaction-too-large': {
    reason: 'the aggregate alone needs more memory than Neo4j gives to a transaction',
    remedy: 'raise db.memory.transaction.max, or split the aggregate; redrive',
  },
  'apply-failed': {
    reason: 'it failed each time on its own, while other events were applied',
    remedy: 'read error.message, which has the last error; redrive',
  },
  'position-in-future': {
    reason: 'a writer filled in the position itself',
    remedy: 'let the writer insert an empty timestamp; write the document again, and discard the event',
  },
  'event-invalid': { reason: 'written past the validator', remedy: 'correct the document in the outbox; redrive' },
};

/** Null for what is none of our codes: an event may have been marked by hand. */
export function hintFor(code: string): CodeHint | null {
  return isDataFaultCode(code) ? codeHints[code] : null;
}

/** Whether it is the code of a dead event. */
export function isDataFaultCode(code: string): code is DataFaultCode {
  return (dataFaultCodes as readonly string[]).includes(code);
}
