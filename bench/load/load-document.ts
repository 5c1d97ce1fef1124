/** The documents of a load run: a node each, bound to one of fifty hubs. */

/** A document of the built-in aggregate type `graph`. */
export interface LoadDocument {
  readonly _id: string;
  readonly nodes: readonly object[];
  readonly relationships: readonly object[];
}

const hubs = 50;

/** The label of the nodes that documents own; `run` tells a run's from all others. */
export const nodeLabel = (run: string) => `Load_${run}`;

/** A document in its first state, or after its change. */
export function loadDocument(run: string, _id: string, number: number, version: number): LoadDocument {
  const from = { label: nodeLabel(run), key: { id: _id } };
  const to = { label: `LoadHub_${run}`, key: { id: `hub-${(number + version) % hubs}` } };
  return {
    _id,
    nodes: [{ ...from, properties: { number, version } }],
    relationships: [{ type: `LOADS_${run}`, from, to, properties: { version } }],
  };
}
