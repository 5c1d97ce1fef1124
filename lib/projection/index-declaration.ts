/** Indexes in Neo4j that an aggregate type declares for its readers. */
import { namePattern } from '../contract/subgraph.ts';

/**
 * An index that the set-up creates, besides the constraints: on the nodes of a label, or on the
 * relationships of a type. The fields that each kind takes are Neo4j's
 * (https://neo4j.com/docs/cypher-manual/current/indexes/).
 *
 * `name` is for queries that name the index (full-text, vector). By default it is made of the
 * others: `outgraph_vector_Chunk_embedding`.
 *
 * @example
 * const embeddings: IndexDeclaration = {
 *   kind: 'vector',
 *   label: 'Chunk',
 *   properties: ['embedding'],
 *   dimensions: 1536,
 *   similarity: 'cosine',
 * };
 */
export type IndexDeclaration = { readonly name?: string } & (
  | { readonly label: string; readonly type?: never }
  | { readonly type: string; readonly label?: never }
) &
  (
    | { readonly kind: 'range' | 'fulltext'; readonly properties: readonly [string, ...string[]] }
    | { readonly kind: 'text' | 'point'; readonly properties: readonly [string] }
    | {
        readonly kind: 'vector';
        readonly properties: readonly [string];
        /** 1 to 4,096: the length of every list. Nodes with another length are not in the index. */
        readonly dimensions: number;
        /** Default: cosine. */
        readonly similarity?: 'cosine' | 'euclidean';
      }
  );

/** https://neo4j.com/docs/cypher-manual/current/indexes/semantic-indexes/vector-indexes/ */
const maxDimensions = 4_096;

const kinds: ReadonlySet<unknown> = new Set(['range', 'text', 'point', 'fulltext', 'vector']);
const multiple: ReadonlySet<unknown> = new Set(['range', 'fulltext']);

/** The name of the index in Neo4j. */
export function indexName({ name, kind, label, type, properties }: IndexDeclaration): string {
  return name ?? `outgraph_${kind}_${label ?? type}_${properties.join('_')}`;
}

/** What is wrong with a declaration, which types alone do not prevent; null if it can be created. */
export function indexProblem(declaration: IndexDeclaration): string | null {
  const { kind, name, label, type, properties } = declaration;
  if (!kinds.has(kind)) return `kind must be one of ${[...kinds].join(', ')}`;
  if ((label === undefined) === (type === undefined)) return 'it needs either a label or a type';
  if (!Array.isArray(properties) || properties.length === 0) return 'it needs properties';
  if (properties.length > 1 && !multiple.has(kind)) return `a ${kind} index has one property`;
  const wrong = [label ?? type, ...properties, ...(name === undefined ? [] : [name])].find(
    (one) => typeof one !== 'string' || !namePattern.test(one),
  );
  if (wrong !== undefined) return `"${wrong}" is not an allowed name`;
  if (declaration.kind !== 'vector') return null;
  const { dimensions, similarity = 'cosine' } = declaration;
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > maxDimensions)
    return `dimensions must be a whole number from 1 to ${maxDimensions}`;
  return ['cosine', 'euclidean'].includes(similarity) ? null : 'similarity must be cosine or euclidean';
}
