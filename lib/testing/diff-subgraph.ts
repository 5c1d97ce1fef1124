/** Compares subgraphs, and writes their differences as text. */
import type { ProjectedSubgraph, Subgraph } from '../contract/subgraph.ts';
import { readSubgraph } from '../projection/read-subgraph.ts';
import { name, nodeText, relationshipText } from './expected-graph.ts';

/**
 * Returns the differences, a line for each element: `-` before what is missing, `+` before what was
 * not expected. An empty text if there are none. The order of elements does not matter.
 *
 * @example
 * diffSubgraph(projectDocument(person, { _id: 'ada', name: 'Ada' }), {
 *   nodes: [{ label: 'Person', key: { id: 'ada' }, properties: { name: 'Bob' } }],
 *   relationships: [],
 * });
 * // - (Person {id: "ada", name: "Bob"})
 * // + (Person {id: "ada", name: "Ada"})
 */
export function diffSubgraph(actual: Subgraph, expected: ProjectedSubgraph): string {
  const [found, wanted] = [textsOf(actual), textsOf(readSubgraph(expected))];
  const missing = wanted.filter((text) => !found.includes(text)).map((text) => `- ${text}`);
  const unexpected = found.filter((text) => !wanted.includes(text)).map((text) => `+ ${text}`);
  return [...missing, ...unexpected].join('\n');
}

/**
 * @throws Error with the differences as its message, if there are any.
 * @example
 * expectSubgraph(projectDocument(person, { _id: 'ada', name: 'Ada' }), {
 *   nodes: [{ label: 'Person', key: { id: 'ada' }, properties: { name: 'Ada' } }],
 *   relationships: [],
 * });
 */
export function expectSubgraph(actual: Subgraph, expected: ProjectedSubgraph): void {
  const differences = diffSubgraph(actual, expected);
  if (differences !== '') throw new Error(`The subgraph differs (- missing, + not expected):\n${differences}`);
}

function textsOf({ nodes, relationships }: Subgraph): readonly string[] {
  return [
    ...nodes.map((node) => marked(nodeText(node, node.labels, node.properties), node)),
    ...relationships.map((one) =>
      marked(relationshipText(one.type, name(one.from), name(one.to), one.properties), one),
    ),
  ];
}

/** What the text of an element does not show. */
function marked(text: string, { shared, key }: { readonly shared: boolean; readonly key: unknown }): string {
  return `${text}${typeof key === 'string' ? ` key ${JSON.stringify(key)}` : ''}${shared ? ' shared' : ''}`;
}
