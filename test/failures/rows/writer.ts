/** A writer is killed, or its clock is wrong. */
import path from 'node:path';
import type { ObjectId } from 'mongodb';
import { expect } from 'vitest';
import { startInBackground } from '../../../tools/local/children.ts';
import type { FailureStack } from '../../support/failure-stack.ts';
import { mongodbCommand } from '../../support/mongodb-messages.ts';
import { Workload } from '../../support/workload.ts';
import { type CrashRows, expectInStep } from './row.ts';

export const writerRows = {
  writerKilled: async (stack) => {
    const workload = new Workload(stack);
    const writer = startWriter(stack, workload);
    await stack.stopMongodbOnce({
      at: mongodbCommand('insert', 'outbox', workload.label),
      before: 'request',
      act: async (): Promise<'cut'> => {
        await writer.kill();
        return 'cut';
      },
    });
    expect(await workload.eventIds()).toStrictEqual([]);
    expect(
      await stack.db.collection('graphs').countDocuments({ _id: workload.document(0)._id as unknown as ObjectId }),
    ).toBe(0);
    const { found } = await workload.compare();
    expect(found.nodes.size).toBe(0);
  },

  clockWrong: async (stack) => {
    const workload = new Workload(stack);
    await workload.insert(1);
    const [first] = await workload.eventIds();
    expect(first).toBeDefined();
    // Each update of the document comes from a writer with a clock that is another hour behind.
    for (const hours of [1, 2, 3]) {
      const RealDate = Date;
      const behind = hours * 3_600_000;
      globalThis.Date = class extends RealDate {
        constructor(...args: [] | [number]) {
          super(...((args.length === 0 ? [RealDate.now() - behind] : args) as [number]));
        }
        static override now = () => RealDate.now() - behind;
      } as DateConstructor;
      try {
        await workload.update(hours, [0]);
      } finally {
        globalThis.Date = RealDate;
      }
    }
    await expectInStep(workload, 4);
  },
} satisfies CrashRows;

function startWriter(stack: FailureStack, workload: Workload) {
  return startInBackground({
    name: 'writer',
    command: process.execPath,
    args: [path.join(import.meta.dirname, '../writer-process.ts')],
    cwd: process.cwd(),
    env: {
      MONGODB_URI: stack.mongodb.uri,
      MONGODB_DATABASE: stack.db.databaseName,
      DOCUMENT: JSON.stringify(workload.document(0)),
    },
    logFile: path.join(stack.logsFolder, 'writer.log'),
  });
}
