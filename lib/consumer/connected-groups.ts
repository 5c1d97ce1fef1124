/** Groups aggregates that must be applied together because one depends on another. */

/**
 * Returns the groups of keys that edges connect, directly or through other keys. A key without an
 * edge forms its own group. Each group is sorted.
 *
 * @example
 * connectedGroups(['a', 'b', 'c'], [['a', 'x'], ['x', 'b']]); // [['a', 'b', 'x'], ['c']]
 */
export function connectedGroups(
  keys: readonly string[],
  edges: readonly (readonly [string, string])[],
): readonly (readonly string[])[] {
  const parents = new Map<string, string>();
  const rootOf = (key: string): string => {
    const parent = parents.get(key) ?? key;
    if (parent === key) return key;
    const root = rootOf(parent);
    parents.set(key, root);
    return root;
  };
  for (const [left, right] of edges) parents.set(rootOf(left), rootOf(right));
  const all = new Set([...keys, ...edges.flat()]);
  return [...Map.groupBy(all, rootOf).values()].map((group) => [...group].sort());
}
