/**
 * Verifies the graph for all aggregates of some types: from the documents to the graph, and back.
 * Uses bounded memory. Writers and consumers may keep running: aggregates in flight are skipped, by
 * position.
 */
import { fromPosition, type Position, toPosition } from '../../lib/contract/position.ts';
import type { RegistryKeys } from '../../lib/contract/registry-keys.ts';
import { type DifferenceCounts, DifferenceReport, type Found, type OnDifference } from './difference.ts';
import type { DocumentState, VerifyPorts } from './ports.ts';
import { TextSet } from './text-set.ts';
import { verifyDocuments } from './verify-documents.ts';
import { ListedElements, RepairScope, verifyAggregates, verifyElements } from './verify-graph.ts';

export interface VerifyOptions {
  /** Compares the aggregates of these types. Finds unlisted elements of all types. */
  readonly types: readonly string[];
  /**
   * Whether these are all types with documents. Only then is it known for every element whether an
   * aggregate may list it.
   */
  readonly isWholeCatalog?: boolean;
  /** Compares only positions and manifests. Does not find changes by other programs. */
  readonly quick: boolean;
  /**
   * The longest that a writer's transaction takes. The document of a younger event may not have
   * been visible yet.
   */
  readonly transactionSeconds: number;
  /**
   * Limits the comparison to documents and aggregates that the ports select; elements that no
   * aggregate lists are then not searched. Null: no limit.
   */
  readonly selection: {
    /** The types of which a selected aggregate certainly has no document if none was found. */
    readonly certainTypes: ReadonlySet<string>;
  } | null;
}

export interface VerifyReport {
  readonly outcome: 'equal' | 'different' | 'interrupted';
  readonly documents: number;
  readonly differences: DifferenceCounts;
  /** Aggregates that changed at every read, or that have pending events. */
  readonly inFlight: number;
}

/**
 * Verifies the graph, and reports each difference as it is found.
 *
 * @throws Fault `mongodb-unavailable` or `neo4j-unavailable`.
 */
export async function verify<Id>(
  ports: VerifyPorts<Id>,
  { types, isWholeCatalog = false, quick, transactionSeconds, selection }: VerifyOptions,
  onDifference: OnDifference<Id>,
): Promise<VerifyReport> {
  const report = new DifferenceReport(onDifference);
  const startedAt = await ports.readClusterTime();
  const seen = new TextSet();
  const doubtful = new Map(types.map((type) => [type, doubtOf(selection)]));
  let documents = 0;
  let inFlight = 0;
  for (const type of types) {
    let isClear: boolean | undefined;
    for await (const page of ports.walkDocuments(type)) {
      if (ports.isInterrupted()) break;
      isClear = isClear !== false && page.every(({ aggregateId }) => aggregateId !== null);
      const { clear, clashing } = separateClashes(ports.keys, type, page, seen);
      await report.addAll(clashing.map(clash));
      const outcome = await verifyDocuments(ports, type, clear, quick);
      await report.addAll(outcome.found);
      inFlight += outcome.inFlight;
      documents += page.length;
      ports.progress('documents', documents);
    }
    const isCertain = selection === null ? isClear : selection.certainTypes.has(type) && isClear !== false;
    if (isCertain) doubtful.delete(type);
  }
  const end = (): VerifyReport => {
    const differences = report.counts;
    const isEqual = Object.values(differences).every((count) => count === 0);
    const outcome = ports.isInterrupted() ? 'interrupted' : isEqual ? 'equal' : 'different';
    return { outcome, documents, differences, inFlight };
  };
  if (ports.isInterrupted()) return end();

  const listingSince = await appliedAfter(ports, transactionSeconds);
  const notAfter = earlier(startedAt, transactionSeconds);
  const listed = quick || selection !== null ? null : new ListedElements(ports.keys);
  const scope = new RepairScope(ports.keys, new Set(types), isWholeCatalog);
  const aggregateOptions = { notAfter, report: report.addAll, doubtful, scope };
  inFlight += await verifyAggregates(ports, new Set(types), seen, listed, aggregateOptions);
  if (listed !== null && !ports.isInterrupted())
    await verifyElements(ports, listed, { since: listingSince, report: report.addAll, scope });
  return end();
}

/** Why an aggregate without a document may have one after all. */
function doubtOf(selection: VerifyOptions['selection']): string {
  return selection === null
    ? 'Its type has no documents, or some without an aggregate id: it is not repaired.'
    : "Its id is not a document's _id, or its type has no documents, so one may have been missed: it is not repaired.";
}

/**
 * Separates the documents whose aggregate id an earlier document already had. The graph can follow
 * only one of them.
 */
function separateClashes<Id>(
  keys: RegistryKeys,
  aggregateType: string,
  page: readonly DocumentState<Id>[],
  seen: TextSet,
): { readonly clear: readonly DocumentState<Id>[]; readonly clashing: readonly string[] } {
  const clear: DocumentState<Id>[] = [];
  const clashing: string[] = [];
  for (const state of page) {
    const { aggregateId } = state;
    const key = aggregateId === null ? null : keys.of({ aggregateType, aggregateId });
    if (key !== null && seen.has(key)) clashing.push(key);
    else clear.push(state);
    if (key !== null) seen.add(key);
  }
  return { clear, clashing };
}

function clash(key: string): Found<never> {
  const reason =
    'Several documents have this aggregate id: ids that differ only in their type (7 and "7", an ObjectId and its ' +
    'digits) are one aggregate. Change the id of one of them.';
  return { difference: { kind: 'dead', aggregate: key, element: null, reason }, subject: null };
}

/** A writer's transaction rarely takes longer. */
const longTransactionSeconds = 120;

/**
 * The events applied from now on have positions later than this: they are pending now, or not
 * committed yet.
 */
async function appliedAfter<Id>(ports: VerifyPorts<Id>, transactionSeconds: number): Promise<Position> {
  const now = await ports.readClusterTime();
  const pending = await ports.oldestPending();
  const first = pending !== null && pending < now ? pending : now;
  return earlier(first, Math.max(transactionSeconds, longTransactionSeconds));
}

function earlier(position: Position, seconds: number): Position {
  const { t, i } = fromPosition(position);
  return toPosition({ t: Math.max(0, t - seconds), i });
}
