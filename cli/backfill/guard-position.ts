/**
 * The position of a document state that was read without recording an event. It must lose to every
 * event that the state does not contain, and win against every older one.
 *
 * The server gives an event its position P while the writer's transaction runs. The transaction
 * commits at a later time C of the same clock, at most `transactionSeconds` later. A read returns a
 * document with everything that was committed up to a time T, and possibly with later writes. The
 * state's guard position is A = T minus those seconds. For each event of the aggregate:
 *
 * - If P is not after A, then C is not after T, so the state contains this event or a later one.
 *   The event may lose, wherever it is: applied, pending, in a queue, or dead and redriven.
 * - If P is after A, the event wins, whether it is applied before or after the state, or is written
 *   later. Nothing is lost if the state contains the event: the newest event in the state is then
 *   after A too, and has the same state.
 *
 * So the greatest position ever applied to the aggregate is either its newest event or A, and it is
 * A only if no event is newer than the state. This holds in any order, with any repetition, and
 * with several backfills at once, because the apply keeps the greatest position. Two reads with the
 * same A may see different states, but the event between them was committed after the earlier T, so
 * it is after A.
 *
 * A deletion is an event like any other, and its tombstone keeps A out while it exists. A deletion
 * that the read does not contain was committed after T. It is applied after the read started, and
 * its tombstone is kept for at least 15 days. A state is applied within ten minutes, or read again
 * (`backfillChunk`). If the read contains the deletion, there is no document, and nothing is
 * applied.
 *
 * Requirements: writers record every write, and the cluster's clocks do not jump by minutes. If a
 * document has an event after A, a later write without an event is not backfilled. So start a
 * backfill when all writers record events, and `transactionSeconds` after the last write without an
 * event.
 */
import { fromPosition, type Position, toPosition } from '../../lib/contract/position.ts';

/** @param committedUntil the state contains every transaction committed up to this time. */
export function guardPosition(committedUntil: Position, transactionSeconds: number): Position {
  return toPosition({ t: fromPosition(committedUntil).t - transactionSeconds, i: 0 });
}
