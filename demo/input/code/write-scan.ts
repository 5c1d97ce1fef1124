/**
 * Brings the documents of one repository to the state of a scan, as XMem's writer would with outgraph: what changed is
 * replaced in place, what is gone is deleted, and what is as it was is not touched, so that it makes no event. Each
 * file is a transaction of its own with its event. A renamed file is one that went and one that came.
 */
import { type Db, type Document, type MongoClient, ObjectId } from 'mongodb';
import pMap from 'p-map';
import { trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { codeFile } from '../../../xmem/aggregates/code-file.ts';
import { codeRepository } from '../../../xmem/aggregates/code-repository.ts';
import type { CodeRepository } from './scan-graph.ts';
import type { Scan } from './scan-types.ts';

/** How many files came, changed, went and stayed; all but the last are events. */
export interface WrittenScan {
  readonly inserted: number;
  readonly replaced: number;
  readonly deleted: number;
  readonly unchanged: number;
}

/** What was written, and the aggregates that it was. */
export interface ScanWriting {
  readonly counts: WrittenScan;
  readonly aggregateIds: readonly string[];
}

const concurrentWriters = 8;

/** Writes the scan; the repository's own document the first time. */
export async function writeScan(
  client: MongoClient,
  db: Db,
  { org_id, repo }: CodeRepository,
  { files }: Pick<Scan, 'files'>,
): Promise<ScanWriting> {
  const aggregateIds: string[] = [];
  const written = (id: ObjectId): ObjectId => {
    aggregateIds.push(id.toHexString());
    return id;
  };
  const repositories = trackCollection(client, db, codeRepository);
  const documents = trackCollection(client, db, codeFile);
  if ((await repositories.findOne({ org_id, repo_name: repo })) === null) {
    await repositories.insertOne({ _id: written(new ObjectId()), org_id, repo_name: repo });
  }
  const stored = await documents.find({ org_id, repo }).toArray();
  const before = new Map(stored.map((document) => [String(document.file_path), document]));
  const after = new Map(files.map((file) => [file.file_path, { org_id, repo, ...file }]));

  const counts = { inserted: 0, replaced: 0, deleted: 0, unchanged: 0 };
  const writeOne = async (path: string): Promise<void> => {
    const [known, file] = [before.get(path), after.get(path)];
    if (file === undefined) {
      if (known !== undefined) await documents.deleteOne({ _id: written(known._id) });
      counts.deleted += 1;
    } else if (known === undefined) {
      await documents.insertOne({ _id: written(new ObjectId()), ...file });
      counts.inserted += 1;
    } else if (isSame(known, file)) {
      counts.unchanged += 1;
    } else {
      await documents.replaceOne({ _id: written(known._id) }, file);
      counts.replaced += 1;
    }
  };
  await pMap(new Set([...before.keys(), ...after.keys()]), writeOne, { concurrency: concurrentWriters });
  return { counts, aggregateIds };
}

/** The hash of a file's text would not do: what a call resolves to can change with another file. */
function isSame({ _id, ...known }: Document, file: Document): boolean {
  return JSON.stringify(known) === JSON.stringify(file);
}
