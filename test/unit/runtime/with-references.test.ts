import { expect, it } from 'vitest';
import { Fault } from '../../../lib/contract/fault.ts';
import type { Reference } from '../../../lib/runtime/reference.ts';
import { publisherSettings } from '../../../lib/runtime/settings.ts';
import { WithReferences } from '../../../lib/runtime/with-references.ts';

const environment = { MONGODB_URI: 'ssm:/a/mongodb-uri', EVENT_BUS_NAME: 'bus', UNRELATED: 'ssm:/not/ours' };

/** A store of secrets, and the resources created from them. */
function world() {
  const reads: { readonly reference: Reference; readonly fresh: boolean }[] = [];
  const closed: string[] = [];
  const stale: unknown[] = [];
  const state = { value: 'mongodb://127.0.0.1:1', away: false };
  const wired = WithReferences.fromEnvironment({
    schema: publisherSettings,
    environment,
    wire: ({ MONGODB_URI }) => ({
      uri: MONGODB_URI,
      close: async () => {
        closed.push(MONGODB_URI);
      },
    }),
    read: async (reference, { fresh }) => {
      reads.push({ reference, fresh });
      if (state.away) throw new Fault('secret-unavailable', 'away');
      return state.value;
    },
    onStale: (error) => stale.push(error),
  });
  return { wired, state, reads, closed, stale, uri: () => wired.use(async ({ uri }) => uri) };
}

it('reads a secret when it is needed, and no variable that is not a setting', async () => {
  const { reads, uri } = world();
  expect(reads).toStrictEqual([]);
  expect(await uri()).toBe('mongodb://127.0.0.1:1');
  expect(reads).toStrictEqual([{ reference: { service: 'ssm', name: '/a/mongodb-uri' }, fresh: false }]);
});

it('keeps resources until their secret changes, then closes and recreates them', async () => {
  const { state, closed, uri } = world();
  await uri();
  await uri();
  expect(closed).toStrictEqual([]);
  state.value = 'mongodb://127.0.0.1:2';
  expect(await uri()).toBe('mongodb://127.0.0.1:2');
  expect(closed).toStrictEqual(['mongodb://127.0.0.1:1']);
});

it('reads the secret again after refused credentials, but not after other faults', async () => {
  const { wired, reads, uri } = world();
  const failing = (code: 'credentials-refused' | 'mongodb-unavailable') =>
    wired.use(async () => {
      throw new Fault(code, 'no');
    });
  await expect(failing('mongodb-unavailable')).rejects.toThrow('no');
  await uri();
  await expect(failing('credentials-refused')).rejects.toThrow('no');
  await uri();
  await uri();
  expect(reads.map(({ fresh }) => fresh)).toStrictEqual([false, false, false, true, false]);
});

it('keeps using known values while secrets cannot be read, and reports it', async () => {
  const { state, stale, uri } = world();
  await uri();
  state.away = true;
  expect(await uri()).toBe('mongodb://127.0.0.1:1');
  expect(stale).toHaveLength(1);
});

it('creates nothing until the secret can be read', async () => {
  const { state, uri } = world();
  state.away = true;
  await expect(uri()).rejects.toMatchObject({ code: 'secret-unavailable' });
  state.away = false;
  expect(await uri()).toBe('mongodb://127.0.0.1:1');
});

it('refuses a secret with an invalid address, with advice', async () => {
  const { state, uri } = world();
  state.value = 'mongodb://db.example';
  await expect(uri()).rejects.toThrow(/MONGODB_URI: must use TLS/);
});
