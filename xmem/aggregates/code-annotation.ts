/**
 * XMem's annotations: a note of a person or an agent about a symbol, a file or a directory. It
 * becomes the node `Annotation` and one relationship ANNOTATES. The target is an endpoint only, so
 * a scan neither removes nor blanks the annotation. A target that no longer exists stays as a
 * placeholder until the annotation is deleted.
 */
import { z } from 'zod';
import { defineAggregate, documentId, endpoint } from '../../exports/outgraph.ts';
import {
  type CodeScope,
  codeLabels,
  directoryNode,
  directoryPath,
  fileNode,
  filePath,
  symbolNode,
} from './code-graph.ts';
import { nameText, optionalMoment, optionalNumber, optionalText } from './fields.ts';

const relevance = optionalNumber;

const target = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('symbol'), file_path: filePath, symbol_name: nameText, relevance }),
  z.object({ kind: z.literal('file'), file_path: filePath, relevance }),
  z.object({ kind: z.literal('directory'), dir_path: directoryPath, relevance }),
]);

const codeAnnotationState = z.object({
  annotation_id: nameText,
  org_id: nameText,
  repo: nameText,
  content: optionalText,
  annotation_type: optionalText,
  severity: optionalText,
  author_id: optionalText,
  author_name: optionalText,
  status: optionalText,
  created_at: optionalMoment,
  resolved_at: optionalMoment,
  resolved_by: optionalText,
  target,
});

const { Repository: _, ...annotationLabels } = codeLabels;

/**
 * A note about a part of the code.
 *
 * @example
 * await trackCollection(client, db, codeAnnotation).insertOne({
 *   annotation_id: 'n1',
 *   org_id: 'acme',
 *   repo: 'shop',
 *   content: 'Too slow for large carts.',
 *   target: { kind: 'symbol', file_path: 'src/cart.ts', symbol_name: 'Cart' },
 * });
 */
export const codeAnnotation = defineAggregate({
  type: 'code-annotation',
  collection: 'code_annotations',
  id: documentId,
  payload: codeAnnotationState,
  declares: { labels: annotationLabels, types: ['ANNOTATES'] },
  project: ({ annotation_id, target: annotated, ...properties }) => {
    const annotation = endpoint('Annotation', { annotation_id });
    return {
      nodes: [{ ...annotation, properties }],
      relationships: [
        {
          type: 'ANNOTATES',
          from: annotation,
          to: targetNode(properties, annotated),
          properties: { relevance: annotated.relevance },
        },
      ],
    };
  },
});

function targetNode(scope: CodeScope, annotated: z.infer<typeof target>) {
  switch (annotated.kind) {
    case 'symbol':
      return symbolNode(scope, annotated);
    case 'file':
      return fileNode(scope, annotated.file_path);
    case 'directory':
      return directoryNode(scope, annotated.dir_path);
  }
}
