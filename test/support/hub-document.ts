/**
 * Documents that workloads write: of the built-in aggregate type `graph`, with one node each that
 * is connected to one of a few hubs.
 */

export interface HubDocument {
  readonly _id: string;
  readonly nodes: readonly object[];
  readonly relationships: readonly object[];
}

/** The labels and the type of a workload's elements. `workload` distinguishes them from others. */
export const hubNames = (workload: string) => ({
  node: `Node_${workload}`,
  hub: `Hub_${workload}`,
  relationship: `AT_${workload}`,
});

/** A document's state: its hub, and the properties of its node and of its relationship. */
export interface HubState {
  readonly hub: number;
  readonly node: object;
  readonly relationship: object;
}

/** The document with this id in this state. Hubs are endpoints only: no aggregate owns them. */
export function hubDocument(workload: string, id: string, { hub, node, relationship }: HubState): HubDocument {
  const names = hubNames(workload);
  const from = { label: names.node, key: { id } };
  const to = { label: names.hub, key: { id: `hub-${hub}` } };
  return {
    _id: id,
    nodes: [{ ...from, properties: node }],
    relationships: [{ type: names.relationship, from, to, properties: relationship }],
  };
}
