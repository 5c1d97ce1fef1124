/**
 * XMem's repositories: `{ _id, org_id, repo_name }` becomes the node `Repository {org_id, repo_name}`. Its directories
 * and files hang on it as parts of the files' own aggregates (`code-file`), and stand without it too.
 */
import { z } from 'zod';
import { defineAggregate, documentId } from '../../exports/outgraph.ts';
import { codeLabels, repositoryNode } from './code-graph.ts';
import { nameText } from './fields.ts';

const codeRepositoryState = z.object({ org_id: nameText, repo_name: nameText });

/** A repository of an organisation. */
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
