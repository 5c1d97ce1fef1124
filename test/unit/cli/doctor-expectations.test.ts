/** The doctor's expectations are the values that a deployment sets. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { deployed } from '../../../cli/doctor/expectations.ts';

const infra = path.join(import.meta.dirname, '../../../infra');
const read = (file: string) => readFileSync(path.join(infra, file), 'utf8');

/** A number in infra/params.yml. */
function param(name: string): number {
  return Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(read('params.yml'))?.[1]);
}

it('expects of a stage what infra/params.yml sets', () => {
  expect(deployed).toStrictEqual({
    consumerTimeoutSeconds: param('consumerTimeoutSeconds'),
    visibilityTimeoutSeconds: 6 * param('consumerTimeoutSeconds'),
    maxReceiveCount: param('maxReceiveCount'),
    messageRetentionSeconds: deployed.messageRetentionSeconds,
    publisherSilenceSeconds: param('alarmPublisherSilenceSeconds'),
    canaryLagSeconds: param('alarmCanaryLagMillis') / 1_000,
    oldestPendingSeconds: param('alarmOldestPendingSeconds'),
  });
});

it("the queues' retention is as expected", () => {
  const retentions = [...read('messaging.yml').matchAll(/MessageRetentionPeriod: (\d+)/g)].map(([, value]) => value);
  expect(retentions).toStrictEqual([1, 2].map(() => String(deployed.messageRetentionSeconds)));
});
