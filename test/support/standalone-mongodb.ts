/** A MongoDB server that is not a replica set. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectMongodb, pingMongodb } from '../../lib/outbox/mongodb-connect.ts';
import { dismissWatchdog, startInBackground } from '../../tools/local/children.ts';
import { freePort } from '../../tools/local/free-port.ts';
import { installMongod } from '../../tools/local/mongod.ts';
import { printStep } from '../../tools/local/progress.ts';
import { waitForStart } from '../../tools/local/wait-for-start.ts';

export interface StandaloneMongodb {
  readonly uri: string;
  readonly stop: () => Promise<void>;
}

/** Starts a standalone server. `before` is called while nothing listens at its address yet. */
export async function startStandaloneMongodb(
  before: (uri: string) => Promise<void> = async () => undefined,
): Promise<StandaloneMongodb> {
  const folder = await mkdtemp(path.join(tmpdir(), 'outgraph-standalone-'));
  const command = await installMongod(printStep, new AbortController().signal);
  const port = String(await freePort());
  const uri = `mongodb://127.0.0.1:${port}`;
  await before(uri);
  const logFile = path.join(folder, 'mongod.log');
  const args = ['--dbpath', folder, '--port', port, '--bind_ip', '127.0.0.1', '--nounixsocket'];
  const mongodb = startInBackground({ name: 'mongod', command, args, cwd: folder, logFile });
  const stop = async () => {
    await mongodb.kill();
    dismissWatchdog();
    await rm(folder, { recursive: true, force: true });
  };
  const ping = async () => {
    const client = connectMongodb(uri, { selectionMillis: 1_000 });
    await pingMongodb(client.db('admin')).finally(() => client.close());
    return true;
  };
  await waitForStart(ping, { process: mongodb, logFile, pollMillis: 50 }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { uri, stop };
}
