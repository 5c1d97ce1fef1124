/** Joins the search for an aggregate's document to a database. */
import type { Db } from 'mongodb';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { type FoundDocument, findDocument as search } from './mongodb-find-document.ts';

/** How an operator looks for a document. */
export interface FindOptions {
  /** Go through the whole collection where nothing else finds it; hours, where it is large. */
  readonly walk: boolean;
  /** Aborted, the walk ends. */
  readonly signal: AbortSignal;
  readonly progress: (looked: number) => void;
}

/** Finds the document of an aggregate. @throws Fault `mongodb-unavailable`. */
export function findDocument(
  db: Db,
  definition: Pick<AggregateDefinition, 'type' | 'id' | 'collection'>,
  aggregateId: string,
  { walk, signal, progress }: FindOptions,
): Promise<FoundDocument> {
  return search(db.collection(definition.collection), outboxOf(db), definition, aggregateId, {
    walk,
    isInterrupted: () => signal.aborted,
    progress,
  });
}
