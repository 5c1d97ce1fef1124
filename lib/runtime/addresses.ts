/** Where the two databases are, as the settings name it. */

/** Where the documents and their outbox are. */
export interface OutboxAddress {
  readonly MONGODB_URI: string;
  readonly MONGODB_DATABASE: string;
}

/** Where the graph is. */
export interface GraphAddress {
  readonly NEO4J_URI: string;
  readonly NEO4J_USERNAME: string;
  readonly NEO4J_PASSWORD: string;
  readonly NEO4J_DATABASE: string;
}
