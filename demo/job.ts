/** What the inputs of `npm start` have in common: what they run on, and what each comes to. */
import type { Collection, Db, Document, MongoClient } from 'mongodb';
import type { Driver } from 'neo4j-driver';

/** What a job runs on. */
export interface JobContext {
  readonly client: MongoClient;
  readonly db: Db;
  readonly outbox: Collection<Document>;
  readonly driver: Driver;
  readonly neo4jDatabase: string;
  readonly logsFolder: string;
  /** The consumer's name, which its log has too. */
  readonly consumer: string;
  /** Whether to take a small part of the input. */
  readonly small: boolean;
  readonly signal: AbortSignal;
}

/** What a job came to. */
export interface JobResult {
  /** Whether every graph equalled what it must be, and no event was left or dead. */
  readonly equal: boolean;
  /** For people. */
  readonly text: string;
  /** For programs. */
  readonly summary: object;
}

/** Runs one input from end to end. */
export type Job = (context: JobContext) => Promise<JobResult>;
