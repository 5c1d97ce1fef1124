/**
 * Which position the state of a document has that was read, and not recorded: it must lose against every event that
 * says more, and win against every one that says less.
 *
 * The server gives an event its position P while the writer's transaction runs; the transaction commits at a later time
 * C of the same clock, within the `transactionSeconds` that a writer takes at most. A document is read with all that
 * was committed up to a time T (and maybe with something later). Its guard is A = T minus those seconds. Then, for the
 * events of its aggregate:
 *
 * - P not after A: C is not after T, so what was read contains this event, or a later one. Wherever it is (applied,
 *   pending, in a queue, dead and redriven), that it loses is right.
 * - P after A: it wins, whether it is applied before or after, or has yet to be written. Where what was read contains
 *   it, nothing is lost either: the newest event of what was read is then after A as well, and says the same.
 *
 * So of all that is ever applied to the aggregate, the greatest is either its newest event, or A, and A only if no
 * event is newer than what was read. That holds in any order, with any repetition, and with any number of backfills at
 * once, because the apply keeps the greatest position, whatever comes when. (Two of the same A may have read different
 * states; the event between them was committed after the earlier T, so it is after A.)
 *
 * A deletion is an event like any other. Its tombstone keeps A out for as long as it stands: a deletion that what was
 * read does not contain was committed after T, so it is applied after the read was begun, and stays for 15 days at
 * least. What was read is applied within ten minutes, or read again (`backfillChunk`). Where a deletion is contained,
 * there is no document, and nothing is applied.
 *
 * What it demands: writers record every write, and clocks of the cluster that do not jump by minutes. Of a document
 * that has an event after A, what was written without one after that event is not brought over: so a backfill begins
 * when all writers record events, and `transactionSeconds` after the last write that had none.
 */
import { fromPosition, type Position, toPosition } from '../../lib/contract/position.ts';

/** @param committedUntil what was read contains every transaction that was committed up to this time. */
export function guardPosition(committedUntil: Position, transactionSeconds: number): Position {
  return toPosition({ t: fromPosition(committedUntil).t - transactionSeconds, i: 0 });
}
