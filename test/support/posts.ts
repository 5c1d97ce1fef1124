/**
 * An aggregate type of two services that feed one graph. A post owns its node and the relationships
 * to its tags; it shares the tags, and the relationship from its first tag to its last one.
 */
import { z } from 'zod';
import { createCatalog, defineAggregate, documentId } from '../../exports/outgraph.ts';

const tag = (name: string) => ({ label: 'Tag', key: { name } }) as const;

export const post = defineAggregate({
  type: 'post',
  collection: 'posts',
  id: documentId,
  payload: z.object({ slug: z.string(), title: z.string(), tags: z.array(z.string()).min(1) }),
  declares: { labels: { Post: ['slug'], Tag: ['name'] }, types: ['TAGGED', 'NEAR'] },
  project: ({ slug, title, tags }) => {
    const from = { label: 'Post', key: { slug } } as const;
    return {
      nodes: [{ ...from, properties: { title } }, ...tags.map((name) => ({ ...tag(name), shared: true }))],
      relationships: [
        ...tags.map((name) => ({ type: 'TAGGED', from, to: tag(name) }) as const),
        { type: 'NEAR', from: tag(tags[0] ?? ''), to: tag(tags.at(-1) ?? ''), shared: true },
      ],
    };
  },
});

export const catalog = createCatalog([post]);
