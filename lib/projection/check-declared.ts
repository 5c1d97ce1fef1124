/**
 * Compares a subgraph with what its aggregate type declares. TypeScript does the same where it knows
 * the names; this finds the others before a writer commits them.
 */
import { Fault } from '../contract/fault.ts';
import type { Endpoint, Subgraph } from '../contract/subgraph.ts';
import type { AggregateDefinition } from './define-aggregate.ts';

/**
 * @throws Fault `label-not-declared`, `type-not-declared` or `key-mismatch`, which names the path.
 * Never for a type without a declaration.
 */
export function checkDeclared(
  { type: aggregateType, declares }: Pick<AggregateDefinition, 'type' | 'declares'>,
  { nodes, relationships }: Subgraph,
): void {
  if (declares === undefined) return;
  const { labels, types } = declares;
  const checkEndpoint = ({ label, key }: Endpoint, path: string) => {
    const declared = Object.hasOwn(labels, label) ? labels[label] : undefined;
    if (declared === undefined)
      throw new Fault('label-not-declared', `${path}.label: ${undeclared(label, aggregateType, Object.keys(labels))}`);
    const names = Object.keys(key);
    if (names.length === declared.length && declared.every((name) => names.includes(name))) return;
    throw new Fault(
      'key-mismatch',
      `${path}.key: "${aggregateType}" declares the key ${declared.join(', ')} for ${label}, not ${names.join(', ')}.`,
    );
  };
  for (const [index, node] of nodes.entries()) checkEndpoint(node, `nodes[${index}]`);
  for (const [index, { type, from, to }] of relationships.entries()) {
    const path = `relationships[${index}]`;
    if (!types.includes(type))
      throw new Fault('type-not-declared', `${path}.type: ${undeclared(type, aggregateType, types)}`);
    checkEndpoint(from, `${path}.from`);
    checkEndpoint(to, `${path}.to`);
  }
}

function undeclared(name: string, aggregateType: string, declared: readonly string[]): string {
  const choice = declared.length === 0 ? 'none' : declared.join(', ');
  return `"${aggregateType}" does not declare ${name}, but ${choice}; correct the projection, or declare it.`;
}
