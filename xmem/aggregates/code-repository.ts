/**
 * XMem's repositories: `{ _id, org_id, repo_name }` becomes the node `Repository {org_id,
 * repo_name}`. Its directories and files belong to the aggregates of the files (`code-file`), and
 * also exist without it.
 */
import { z } from 'zod';
import { defineAggregate, documentId } from '../../exports/outgraph.ts';
import { codeLabels, repositoryNode } from './code-graph.ts';
import { nameText } from './fields.ts';

const codeRepositoryState = z.object({ org_id: nameText, repo_name: nameText });

/**
 * A repository of an organisation.
 *
 * @example
 * const repositories = trackCollection(client, db, codeRepository);
 * await repositories.insertOne({ org_id: 'acme', repo_name: 'shop' });
 */
export const codeRepository = defineAggregate({
  type: 'code-repository',
  collection: 'code_repositories',
  id: documentId,
  payload: codeRepositoryState,
  declares: { labels: { Repository: codeLabels.Repository }, types: [] },
  project: ({ org_id, repo_name }) => ({
    nodes: [repositoryNode({ org_id, repo: repo_name })],
    relationships: [],
  }),
});
