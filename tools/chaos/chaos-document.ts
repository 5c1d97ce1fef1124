/** The documents of a chaos run: a node each, bound to one of a few hubs, with a stamp that names the write which brought them to their state. */

/** So many documents, which all writers change. */
export const documentCount = 40;

/** A document of the built-in aggregate type `graph`. */
export interface ChaosDocument {
  readonly _id: string;
  readonly nodes: readonly object[];
  readonly relationships: readonly object[];
}

export const nodeLabel = (prefix: string) => `Chaos_${prefix}`;
export const hubLabel = (prefix: string) => `ChaosHub_${prefix}`;

/** The state that one write gives a document. */
export function chaosDocument(prefix: string, number: number, hub: number, stamp: string): ChaosDocument {
  const _id = `${prefix}-${number}`;
  const from = { label: nodeLabel(prefix), key: { id: _id } };
  const to = { label: hubLabel(prefix), key: { id: `hub-${hub}` } };
  return {
    _id,
    nodes: [{ ...from, properties: { stamp } }],
    relationships: [{ type: `CHAOS_${prefix}`, from, to, properties: { stamp } }],
  };
}
