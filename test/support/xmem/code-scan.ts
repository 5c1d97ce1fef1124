/**
 * XMem's scanner as its writer would run it with outgraph: a scan updates the documents to match
 * the files it found. Unchanged files create no event.
 */
import { type Db, type Document, type MongoClient, ObjectId } from 'mongodb';
import { type TrackedCollection, trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { codeAnnotation } from '../../../xmem/aggregates/code-annotation.ts';
import { codeFile } from '../../../xmem/aggregates/code-file.ts';
import { codeRepository } from '../../../xmem/aggregates/code-repository.ts';

/**
 * The result of scanning one file: a document of `code_files` without its id and its repository.
 */
export interface ScannedFile extends Document {
  readonly file_path: string;
}

/** The scans of one repository. */
export class CodeScan {
  readonly #repositories: TrackedCollection<unknown>;
  readonly #files: TrackedCollection<unknown>;
  readonly #annotations: TrackedCollection<unknown>;
  readonly #scope: { readonly org_id: string; readonly repo: string };

  constructor(client: MongoClient, db: Db, org_id: string, repo: string) {
    this.#repositories = trackCollection<unknown>(client, db, codeRepository);
    this.#files = trackCollection<unknown>(client, db, codeFile);
    this.#annotations = trackCollection<unknown>(client, db, codeAnnotation);
    this.#scope = { org_id, repo };
  }

  async addRepository(): Promise<void> {
    const { org_id, repo } = this.#scope;
    await this.#repositories.insertOne({ org_id, repo_name: repo });
  }

  /** A full scan: `files` are all files that exist. */
  async scan(files: readonly ScannedFile[]): Promise<void> {
    for (const file of files) {
      const { file_path } = file;
      await this.#files.replaceOne({ ...this.#scope, file_path }, { ...this.#scope, ...file }, { upsert: true });
    }
    const file_path = { $nin: files.map((file) => file.file_path) };
    await this.#files.deleteMany({ ...this.#scope, file_path });
  }

  /** Renames a file, which keeps its document. */
  async rename(from: string, to: string): Promise<void> {
    await this.#files.updateOne({ ...this.#scope, file_path: from }, { $set: { file_path: to } });
  }

  /** Adds an annotation. Returns its id. */
  async annotate(target: Document, fields: Document = {}): Promise<ObjectId> {
    const _id = new ObjectId();
    const annotation_id = _id.toHexString();
    await this.#annotations.insertOne({ _id, annotation_id, ...this.#scope, target, ...fields });
    return _id;
  }

  async removeAnnotation(_id: ObjectId): Promise<void> {
    await this.#annotations.deleteOne({ _id });
  }
}
