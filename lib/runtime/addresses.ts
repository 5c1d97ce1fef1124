/** The addresses of the two databases, under the names of their settings. */

/** The address of the documents and their outbox. */
export interface OutboxAddress {
  readonly MONGODB_URI: string;
  readonly MONGODB_DATABASE: string;
}

/** The address of the graph. */
export interface GraphAddress {
  readonly NEO4J_URI: string;
  readonly NEO4J_USERNAME: string;
  readonly NEO4J_PASSWORD: string;
  readonly NEO4J_DATABASE: string;
  /** The source of the outbox's aggregates in it. */
  readonly OUTGRAPH_SOURCE: string;
}
