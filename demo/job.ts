/** Shared by the inputs of `npm start`: their context and their result. */
import type { Collection, Db, Document, MongoClient } from 'mongodb';
import type { Driver } from 'neo4j-driver';

/** The context that a job runs in. */
export interface JobContext {
  readonly client: MongoClient;
  readonly db: Db;
  readonly outbox: Collection<Document>;
  readonly driver: Driver;
  readonly neo4jDatabase: string;
  readonly logsFolder: string;
  /** The consumer's name, which is also the name of its log. */
  readonly consumer: string;
  /** Whether to use only a small part of the input. */
  readonly small: boolean;
  readonly signal: AbortSignal;
}

/** The result of a job. */
export interface JobResult {
  /** Whether every graph equals the expected one, and no event is pending or dead. */
  readonly equal: boolean;
  /** For people. */
  readonly text: string;
  /** For programs. */
  readonly summary: object;
}

/** Runs one input from end to end. */
export type Job = (context: JobContext) => Promise<JobResult>;
