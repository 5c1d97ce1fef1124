import { expect, it } from 'vitest';
import { Fault } from '../../../lib/contract/fault.ts';
import type { Reference } from '../../../lib/runtime/reference.ts';
import { publisherSettings } from '../../../lib/runtime/settings.ts';
import { WithReferences } from '../../../lib/runtime/with-references.ts';

const environment = { MONGODB_URI: 'ssm:/a/mongodb-uri', EVENT_BUS_NAME: 'bus', UNRELATED: 'ssm:/not/ours' };

/** A store of secrets, and what is wired from them. */
function world() {
  const asked: { readonly reference: Reference; readonly fresh: boolean }[] = [];
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
      asked.push({ reference, fresh });
      if (state.away) throw new Fault('secret-unavailable', 'away');
      return state.value;
    },
    onStale: (error) => stale.push(error),
  });
  return { wired, state, asked, closed, stale, uri: () => wired.use(async ({ uri }) => uri) };
}

it('a secret is read when it is needed, and nothing that is no setting', async () => {
  const { asked, uri } = world();
  expect(asked).toStrictEqual([]);
  expect(await uri()).toBe('mongodb://127.0.0.1:1');
  expect(asked).toStrictEqual([{ reference: { service: 'ssm', name: '/a/mongodb-uri' }, fresh: false }]);
});

it('what is wired stays while the secret stays, and is wired anew and the old one closed when it has changed', async () => {
  const { state, closed, uri } = world();
  await uri();
  await uri();
  expect(closed).toStrictEqual([]);
  state.value = 'mongodb://127.0.0.1:2';
  expect(await uri()).toBe('mongodb://127.0.0.1:2');
  expect(closed).toStrictEqual(['mongodb://127.0.0.1:1']);
});

it('refused credentials make the next use read the secret anew, other faults do not', async () => {
  const { wired, asked, uri } = world();
  const failing = (code: 'credentials-refused' | 'mongodb-unavailable') =>
    wired.use(async () => {
      throw new Fault(code, 'no');
    });
  await expect(failing('mongodb-unavailable')).rejects.toThrow('no');
  await uri();
  await expect(failing('credentials-refused')).rejects.toThrow('no');
  await uri();
  await uri();
  expect(asked.map(({ fresh }) => fresh)).toStrictEqual([false, false, false, true, false]);
});

it('what was read before is used on while secrets cannot be read, and that is told', async () => {
  const { state, stale, uri } = world();
  await uri();
  state.away = true;
  expect(await uri()).toBe('mongodb://127.0.0.1:1');
  expect(stale).toHaveLength(1);
});

it('nothing is wired while no secret could be read yet', async () => {
  const { state, uri } = world();
  state.away = true;
  await expect(uri()).rejects.toMatchObject({ code: 'secret-unavailable' });
  state.away = false;
  expect(await uri()).toBe('mongodb://127.0.0.1:1');
});

it('a secret that holds a wrong address is refused with what to change', async () => {
  const { state, uri } = world();
  state.value = 'mongodb://db.example';
  await expect(uri()).rejects.toThrow(/MONGODB_URI: must use TLS/);
});
