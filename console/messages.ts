/** What the console's server sends to its page: types alone, known to both. Times are ISO 8601 texts. */
import type { DeadGroup, DeadRow } from '../cli/dead/dead-event.ts';
import type { EventView, ViewedFault } from '../cli/show/aggregate-view.ts';
import type { StatusReport } from '../cli/status/status-report.ts';
import type { Difference } from '../cli/verify/difference.ts';
import type { FaultCode } from '../lib/contract/fault.ts';

/** A type as it is after JSON. */
export type Sent<Value> = Value extends Date
  ? string
  : Value extends object
    ? { readonly [Name in keyof Value]: Sent<Value[Name]> }
    : Value;

/** Why something could not be said. */
export interface Failure {
  readonly code: FaultCode;
  readonly reason: string;
}

/** One point of the charts. Null where it was not known. */
export interface Sample {
  /** Milliseconds since 1970, by the clock of the machine that the console runs on. */
  readonly at: number;
  readonly pending: number | null;
  readonly settledPerSecond: number | null;
  readonly p50Millis: number | null;
  readonly p95Millis: number | null;
}

/** Sent every few seconds. */
export interface StatusMessage {
  readonly sample: Sample;
  /** The last report, also where none came this time; null before the first. */
  readonly report: Sent<StatusReport> | null;
  /** Why there is no newer one; null where this one is of now. */
  readonly failure: Failure | null;
}

/** Sent first on every connection: what happened before the page was there. */
export interface HelloMessage {
  /** What is looked at, in words: the names of the databases. */
  readonly stage: string;
  readonly aggregateTypes: readonly string[];
  readonly history: readonly Sample[];
  /** The redrive that is under way, or the last one. */
  readonly redrive: RedriveMessage | null;
}

/** How far a redrive is: sent with each change, and as the answer to who starts it. */
export interface RedriveMessage {
  readonly id: string;
  /** So many are pending again. */
  readonly changed: number;
  readonly events: number;
  readonly state: 'running' | 'done' | 'interrupted' | 'failed';
  /** Why it failed. */
  readonly failure: Failure | null;
}

/** A dead event, and what a person can do about it; null for a code that is none of ours. */
export interface DeadEntry extends DeadRow {
  readonly advice: string | null;
}

/** The newest of them, and how many there are of each code and type. */
export interface DeadMessage {
  /** MongoDB's clock. */
  readonly at: Date;
  readonly groups: readonly DeadGroup[];
  /** The groups are of the newest events alone. */
  readonly isCapped: boolean;
  readonly events: readonly DeadEntry[];
}

/** What a redrive would do: the page asks, and sends back `until` with the answer. */
export interface RedrivePlan {
  readonly events: number;
  /** Events that die later are not meant. */
  readonly until: Date;
}

/**
 * - `same`: the document and the graph say the same of it.
 * - `missing`: the document says it, and it does not stand in the graph.
 * - `extra`: it stands in the graph, and the document does not say it.
 * - `changed`: both have it, with other labels or properties.
 * - `unknown`: the document cannot be projected, so nobody can say.
 */
export type Mark = 'same' | 'missing' | 'extra' | 'changed' | 'unknown';

/** A property, a label or anything else that an element says, on both sides; null where that side does not say it. */
export interface Fact {
  readonly name: string;
  readonly document: string | null;
  readonly graph: string | null;
}

interface Element {
  readonly id: string;
  /** In words: `Event event_id=17`, `User ada —HAS→ Event 17`. */
  readonly name: string;
  readonly mark: Mark;
  readonly inDocument: boolean;
  readonly inGraph: boolean;
  readonly facts: readonly Fact[];
}

export interface PictureNode extends Element {
  readonly label: string;
  /** What tells it from others of its label, as short as a picture needs it. */
  readonly key: string;
  readonly hold: 'owned' | 'shared' | 'end';
  /** The middle, in the picture's own units. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface PictureRelationship extends Element {
  readonly type: string;
  /** From one node's edge to the other's. */
  readonly points: readonly Point[];
  /** The middle of its name. */
  readonly at: Point;
}

/** Both subgraphs in one: drawn twice, with every element in the same place. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PictureNode[];
  readonly relationships: readonly PictureRelationship[];
  /** Elements that are left out, because nobody could read so many; those that differ are drawn first. */
  readonly leftOut: number;
}

export interface AggregateMessage {
  readonly aggregateType: string;
  readonly aggregateId: string;
  /** `not-found`: nobody can say whether there is a document. */
  readonly search: 'found' | 'absent' | 'not-found';
  /** As indented JSON; null where none was found. */
  readonly document: string | null;
  readonly fault: ViewedFault | null;
  readonly events: readonly EventView[];
  readonly registry: { readonly position: string; readonly deleted: boolean; readonly elements: number } | null;
  readonly isInFlight: boolean;
  readonly differences: readonly Difference[];
  readonly picture: Picture;
}
