import { expect, it } from 'vitest';
import { settings } from '../../../lib/runtime/settings.ts';
import { unknownSettings, unknownSettingsText } from '../../../lib/runtime/unknown-settings.ts';
import { startOutgraph } from '../../support/run-outgraph.ts';

it.each([
  ['MONGODB_DATABSE', 'MONGODB_DATABASE'],
  ['MONGODB_URL', 'MONGODB_URI'],
  ['mongodb_uri', 'MONGODB_URI'],
  ['MONGOBD_DATABASE', 'MONGODB_DATABASE'],
  ['NEO4J_USER', 'NEO4J_USERNAME'],
  ['SWEEP_STALE_SECOND', 'SWEEP_STALE_SECONDS'],
  ['OUTGRAPH_CATALOGUE', 'OUTGRAPH_CATALOG'],
  ['NEO4J_HOST', null],
])('%s is reported as unknown, with the closest setting: %s', (name, meant) => {
  expect(unknownSettings({ [name]: 'x', PATH: '/bin', HOME: '/', OTEL_SERVICE_NAME: 'x', URI: 'x' })).toStrictEqual([
    { name, meant },
  ]);
});

it('settings and variables of other programs are not reported', () => {
  const known = Object.fromEntries(Object.keys(settings.shape).map((name) => [name, 'x']));
  const others = { AWS_REGION: 'x', AWS_ENDPOINT_URL: 'x', NODE_EXTRA_CA_CERTS: 'x', OTEL_SERVICE_NAME: 'x' };
  expect(unknownSettings({ ...known, ...others })).toStrictEqual([]);
});

it('a value is never shown', () => {
  expect(unknownSettingsText(unknownSettings({ NEO4J_PASWORD: 's3cret', NEO4J_HOST: 'h' }))).toBe(
    'NEO4J_HOST, NEO4J_PASWORD (did you mean NEO4J_PASSWORD?)',
  );
});

it('a command names a misspelt setting and suggests the right one', async () => {
  const settings = { MONGODB_URI: 'mongodb://127.0.0.1:1', MONGODB_DATABSE: 'shop', NEO4J_HOST: 'x' };
  const { stderr } = await startOutgraph(['verify'], settings).ended;
  expect(stderr).toContain('Not a setting: MONGODB_DATABSE (did you mean MONGODB_DATABASE?). It is ignored.\n');
  expect(stderr).not.toContain('NEO4J_HOST');
});
