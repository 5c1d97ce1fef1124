/**
 * Updates the documents of one repository to the state of a scan, as XMem's writer would with
 * outgraph. Replaces changed files in place, deletes removed files, and does not touch unchanged
 * files, so that they cause no event. Each file has its own transaction with its event. A renamed
 * file is one deleted and one inserted file.
 */
import { type Db, type Document, type MongoClient, ObjectId } from 'mongodb';
import pMap from 'p-map';
import type { AggregateDefinition } from '../../../lib/projection/define-aggregate.ts';
import { trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { codeFile } from '../../../xmem/aggregates/code-file.ts';
import { codeRepository } from '../../../xmem/aggregates/code-repository.ts';
import type { CodeRepository } from './scan-graph.ts';
import type { Scan } from './scan-types.ts';

/** The number of files by outcome. All but the unchanged ones cause events. */
export interface WrittenScan {
  readonly inserted: number;
  readonly replaced: number;
  readonly deleted: number;
  readonly unchanged: number;
}

/** The counts, and the ids of the written aggregates. */
export interface ScanWriting {
  readonly counts: WrittenScan;
  readonly aggregateIds: readonly string[];
}

const concurrentWriters = 8;

/** Writes the scan. The first time, also writes the repository's own document. */
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
  const documents = trackCollection<unknown, Document & { _id: ObjectId }>(client, db, codeFile as AggregateDefinition);
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

/**
 * Comparing the hash of a file's text is not enough: the target of a call can change with another
 * file.
 */
function isSame({ _id, ...known }: Document, file: Document): boolean {
  return JSON.stringify(known) === JSON.stringify(file);
}
