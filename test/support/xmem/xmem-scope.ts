/**
 * One user and one organisation for one test, and the check whether the graph is in step with their
 * documents.
 */
import { type Db, type Document, type MongoClient, ObjectId } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { expectedGraph, type GraphPicture } from '../../../lib/testing/expected-graph.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { codeAnnotation } from '../../../xmem/aggregates/code-annotation.ts';
import { codeFile } from '../../../xmem/aggregates/code-file.ts';
import { codeLabels } from '../../../xmem/aggregates/code-graph.ts';
import { codeRepository } from '../../../xmem/aggregates/code-repository.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { memoryUser } from '../../../xmem/aggregates/memory-user.ts';
import { readDocumentStates } from '../model/document-states.ts';
import { readGraph } from '../model/read-graph.ts';
import { CodeScan } from './code-scan.ts';
import { TemporalMemory } from './temporal-memory.ts';

/** The connections to a test's documents and its graph. */
export interface Databases {
  readonly client: MongoClient;
  readonly db: Db;
  readonly graph: Driver;
}

const keyNames = { User: ['user_id'], Date: ['date'], ...codeLabels };

export class XmemScope {
  /** The user's id and the organisation's. */
  readonly name = `x${new ObjectId().toHexString()}`;
  readonly memory: TemporalMemory;
  readonly #databases: Databases;

  constructor(databases: Databases) {
    this.#databases = databases;
    this.memory = new TemporalMemory(databases.client, databases.db, this.name);
  }

  /** A repository of the organisation. */
  repository(repo: string): CodeScan {
    const { client, db } = this.#databases;
    return new CodeScan(client, db, this.name, repo);
  }

  /** The events of this scope in the order of their positions, without canaries and others. */
  async events(): Promise<readonly Document[]> {
    const outbox = this.#databases.db.collection(outboxCollection);
    const aggregateIds = await outbox.distinct('aggregateId', {
      $or: [{ 'payload.user_id': this.name }, { 'payload.org_id': this.name }],
    });
    return outbox.find({ aggregateId: { $in: aggregateIds } }, { sort: { position: 1 } }).toArray();
  }

  /** Resolves with the events once none of them is pending. */
  async untilSettled(timeoutSeconds = 60): Promise<readonly Document[]> {
    const settled = async () => {
      const events = await this.events();
      return events.every(({ status }) => status !== 'pending') ? events : undefined;
    };
    return waitUntil(settled, { timeoutSeconds, pollMillis: 50, what: `the events of ${this.name} to be settled` });
  }

  /** The nodes of this scope in the graph, and the nodes connected to them. */
  async found(): Promise<GraphPicture> {
    const scope = { properties: ['user_id', 'org_id'], values: [this.name] };
    return readGraph(this.#databases.graph, 'neo4j', keyNames, scope);
  }

  /** The graph that the documents define. */
  async expected(): Promise<GraphPicture> {
    const { db } = this.#databases;
    const ofUser = { user_id: this.name };
    const ofOrganisation = { org_id: this.name };
    const states = await Promise.all([
      readDocumentStates(db, memoryUser, ofUser),
      readDocumentStates(db, memoryEvent, ofUser),
      readDocumentStates(db, codeRepository, ofOrganisation),
      readDocumentStates(db, codeFile, ofOrganisation),
      readDocumentStates(db, codeAnnotation, ofOrganisation),
    ]);
    return expectedGraph(states.flat());
  }

  /**
   * The elements' ids in Neo4j and all their properties, including bookkeeping: equal if nothing
   * was written, or the same again.
   */
  async elements(): Promise<readonly unknown[]> {
    const statement = `
MATCH (n) WHERE n.user_id = $name OR n.org_id = $name
RETURN elementId(n) AS id, labels(n) AS labels, properties(n) AS properties,
  COLLECT { MATCH (n)-[r]-() RETURN [elementId(r), type(r), properties(r)] ORDER BY elementId(r) } AS relationships
ORDER BY id`;
    const { records } = await this.#databases.graph.executeQuery(statement, { name: this.name });
    return records.map((record) => record.toObject());
  }
}
