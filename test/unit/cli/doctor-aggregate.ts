/** An aggregate type that declares labels and projects nothing. */
import { z } from 'zod';
import { defineAggregate } from '../../../lib/projection/define-aggregate.ts';

export function aggregate(type: string, labels: Readonly<Record<string, readonly string[]>>) {
  return defineAggregate<unknown>({
    type,
    collection: type,
    id: String,
    payload: z.unknown(),
    declares: { labels, types: [] },
    project: () => ({ nodes: [], relationships: [] }),
  });
}
