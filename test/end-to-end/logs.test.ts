import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { ObjectId } from 'mongodb';
import { afterAll, expect, it } from 'vitest';
import { service } from '../../tools/local/deploy.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { stack } from '../support/stack.ts';
import { closeClients, graphEvent, outbox, untilSettled } from '../support/wait-for.ts';

afterAll(closeClients);

it('no function logs a payload, a key or an aggregate id of any event, good or dead', async () => {
  const secret = `secret${new ObjectId().toHexString()}`;
  const good = graphEvent(`${secret}-good`, {
    nodes: [{ label: 'E2eLog', key: { id: secret }, properties: { text: secret } }],
    relationships: [],
  });
  const wrong = graphEvent(`${secret}-wrong`, {
    nodes: [{ label: 'E2eLog', key: { id: secret }, properties: { text: { secret } } }],
    relationships: [],
  });
  const tooLong = graphEvent(`${secret}-long`, {
    nodes: [{ label: 'E2eLog', key: { id: secret.repeat(400) } }],
    relationships: [],
  });
  await outbox.insertMany([good, wrong, tooLong]);
  expect((await untilSettled([good._id, wrong._id, tooLong._id])).map((event) => event.status).sort()).toStrictEqual([
    'dead',
    'dead',
    'processed',
  ]);
  const consumerLog = path.join(stack.logsFolder, `${stack.functions.consumer}.log`);
  await waitUntil(
    async () => ((await readFile(consumerLog, 'utf8')).includes(wrong._id.toHexString()) ? true : undefined),
    {
      timeoutSeconds: 30,
      pollMillis: 100,
      what: 'the dead event to be logged by its id',
    },
  );
  for (const file of (await readdir(stack.logsFolder)).filter((name) => name.startsWith(`${service}-`))) {
    const log = await readFile(path.join(stack.logsFolder, file), 'utf8');
    expect(log).not.toContain(secret);
    expect(log).not.toContain(stack.mongodbUri);
    if (stack.neo4jPassword !== null) expect(log).not.toContain(stack.neo4jPassword);
  }
});
