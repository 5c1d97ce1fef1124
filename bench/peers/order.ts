/** The instructions of the benchmark for one of its processes, in the environment variable `PEER_ORDER`. */
import type { PeerName } from './symbols.ts';

export interface PeerOrder {
  readonly peer: PeerName;
  readonly mongodbUri: string;
  readonly neo4jUri: string;
  /** `127.0.0.1:<port>`, for the sink. */
  readonly broker?: string;
  /** For the writer. */
  readonly write?: WriteOrder;
}

/** A stream of mixed changes as fast as possible, or single inserts at a steady rate. */
export type WriteOrder =
  | { readonly round: string; readonly groups: number }
  | { readonly round: string; readonly perSecond: number; readonly seconds: number };

/** A line that the writer prints for some of its inserts: when it was committed, since the epoch. */
export interface Committed {
  readonly id: string;
  readonly at: number;
}

export const orderVariable = 'PEER_ORDER';

export const readOrder = () => JSON.parse(process.env[orderVariable] ?? '') as PeerOrder;
