/** The messages from the console's server to its page: types only. Times are ISO 8601 strings. */
import type { DeadGroup, DeadRow } from '../cli/dead/dead-event.ts';
import type { EventView, ViewedFault } from '../cli/show/aggregate-view.ts';
import type { StatusReport } from '../cli/status/status-report.ts';
import type { Difference } from '../cli/verify/difference.ts';
import type { FaultCode } from '../lib/contract/fault.ts';

/** A type after conversion to JSON. */
export type Sent<Value> = Value extends Date
  ? string
  : Value extends object
    ? { readonly [Name in keyof Value]: Sent<Value[Name]> }
    : Value;

export interface Failure {
  readonly code: FaultCode;
  readonly reason: string;
}

/** A point of the charts. A value is null if it is unknown. */
export interface Sample {
  /** Milliseconds since 1970, by the clock of the console's machine. */
  readonly at: number;
  readonly pending: number | null;
  readonly settledPerSecond: number | null;
  readonly p50Millis: number | null;
  readonly p95Millis: number | null;
}

/** Sent every few seconds. */
export interface StatusMessage {
  readonly sample: Sample;
  /** The last report, even if the last read failed; null before the first report. */
  readonly report: Sent<StatusReport> | null;
  /** Why there is no newer report; null if this report is current. */
  readonly failure: Failure | null;
}

/** Sent first on every connection: the history from before the page was opened. */
export interface HelloMessage {
  /** The names of the databases. */
  readonly stage: string;
  readonly aggregateTypes: readonly string[];
  readonly history: readonly Sample[];
  /** The running redrive, or the most recent one. */
  readonly redrive: RedriveMessage | null;
}

/** The progress of a redrive. Sent with each change, and as the response to its start. */
export interface RedriveMessage {
  readonly id: string;
  /** How many events are pending again. */
  readonly changed: number;
  readonly events: number;
  readonly state: 'running' | 'done' | 'interrupted' | 'failed';
  /** Why the redrive failed. */
  readonly failure: Failure | null;
}

export interface DeadEntry extends DeadRow {
  /** What to do; null for a code that outgraph does not define. */
  readonly advice: string | null;
}

/** The newest dead events, and the number of events of each code and type. */
export interface DeadMessage {
  /** MongoDB's clock. */
  readonly at: Date;
  readonly groups: readonly DeadGroup[];
  /** The groups cover only the newest events. */
  readonly isCapped: boolean;
  readonly events: readonly DeadEntry[];
}

/**
 * The effect of a redrive. The page requests it first, and sends `until` back to start the redrive.
 */
export interface RedrivePlan {
  readonly events: number;
  /** Events that die later are not redriven. */
  readonly until: Date;
}

/**
 * - `same`: equal in the document and the graph.
 * - `missing`: in the document only.
 * - `extra`: in the graph only.
 * - `changed`: in both, with different labels or properties.
 * - `unknown`: the document cannot be projected.
 */
export type Mark = 'same' | 'missing' | 'extra' | 'changed' | 'unknown';

/** A property, label or end of an element on both sides; null on a side that lacks it. */
export interface Fact {
  readonly name: string;
  readonly document: string | null;
  readonly graph: string | null;
}

interface Element {
  readonly id: string;
  /** Such as `Event event_id=17` or `User ada —HAS→ Event 17`. */
  readonly name: string;
  readonly mark: Mark;
  readonly inDocument: boolean;
  readonly inGraph: boolean;
  readonly facts: readonly Fact[];
}

export interface PictureNode extends Element {
  readonly label: string;
  /** Distinguishes the node from others of its label. Shortened for the picture. */
  readonly key: string;
  readonly hold: 'owned' | 'shared' | 'end';
  /** The centre, in the picture's units. */
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
  /** The centre of its name. */
  readonly at: Point;
}

/** Both subgraphs in one, with every element in the same place. The page draws it twice. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PictureNode[];
  readonly relationships: readonly PictureRelationship[];
  /** The number of omitted elements. Elements that differ are drawn first. */
  readonly leftOut: number;
}

export interface AggregateMessage {
  readonly aggregateType: string;
  readonly aggregateId: string;
  /** `not-found`: unknown whether there is a document. */
  readonly search: 'found' | 'absent' | 'not-found';
  /** Indented JSON; null if no document was found. */
  readonly document: string | null;
  readonly fault: ViewedFault | null;
  readonly events: readonly EventView[];
  readonly registry: { readonly position: string; readonly deleted: boolean; readonly elements: number } | null;
  readonly isInFlight: boolean;
  readonly differences: readonly Difference[];
  readonly picture: Picture;
}
