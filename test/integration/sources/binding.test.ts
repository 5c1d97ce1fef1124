/** Which outbox may feed a graph: by its id and its source. Renaming and removing a source. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identityCollection } from '../../../lib/outbox/collections.ts';
import { Service, startTwoSources, type TwoSources } from '../../support/two-sources.ts';

let two: TwoSources;
let shop: Service;
let blog: Service;
let query: TwoSources['query'];
const opened: Service[] = [];
beforeAll(async () => {
  two = await startTwoSources();
  ({ shop, blog, query } = two);
  await shop.write({ _id: 'one', slug: 'shop-one', title: 'S', tags: ['a', 'b'] });
  await blog.write({ _id: 'one', slug: 'blog-one', title: 'B', tags: ['b', 'c'] });
  await Promise.all([shop.stop(), blog.stop()]);
});
afterAll(async () => {
  await Promise.all(opened.map((service) => service.drop()));
  await two?.drop();
});

/** A service with an outbox of its own, on the same graph. */
const open = (source: string): Service => {
  const service = new Service(source, two.neo4jUri);
  opened.push(service);
  return service;
};
/** The same outbox with another setting. */
const renamed = ({ settings }: Service, source: string): Service =>
  Object.assign(Object.create(Service.prototype), { settings: { ...settings, OUTGRAPH_SOURCE: source } });
const outputOf = ({ exitCode, stdout, stderr }: Awaited<ReturnType<Service['run']>>) => ({
  exitCode,
  output: stdout + stderr,
});
const bindings = () =>
  query('MATCH (a:OutgraphAggregate) WHERE a._outgraphOutbox IS NOT NULL RETURN a.key AS key ORDER BY key').then(
    (rows) => rows.map(({ key }) => key),
  );
const slugs = () =>
  query('MATCH (p:Post) RETURN p.slug AS slug ORDER BY slug').then((rows) => rows.map(({ slug }) => slug));

describe('a graph of two sources', () => {
  it('is bound to each outbox by its source', async () => {
    expect(await bindings()).toStrictEqual(['', 'blog/', 'shop/']);
    for (const service of [shop, blog]) expect(await service.run('set-up')).toMatchObject({ exitCode: 0 });
  });

  it('refuses another outbox with the same source', async () => {
    const { exitCode, output } = outputOf(await open('shop').run('set-up'));
    expect(exitCode).toBe(1);
    expect(output).toMatch(/The source "shop" of the graph belongs to the outbox .*or take another source.*--adopt/);
  });

  it('refuses an outbox without a source, also if it wants to adopt the graph', async () => {
    for (const args of [['set-up'], ['set-up', '--adopt']]) {
      const { exitCode, output } = outputOf(await open('').run(...args));
      expect(exitCode).toBe(1);
      expect(output).toMatch(/The graph belongs to outboxes with sources, and OUTGRAPH_SOURCE is empty/);
    }
    expect(await bindings()).toStrictEqual(['', 'blog/', 'shop/']);
  });

  it('refuses a source that is not set up yet to every command', async () => {
    const third = open('third');
    await expect(third.start()).resolves.toBeUndefined();
    await third.stop();
    await query("MATCH (a:OutgraphAggregate {key: 'third/'}) DELETE a");
    const { exitCode, output } = outputOf(await third.run('verify'));
    expect(exitCode).toBe(1);
    expect(output).toMatch(/does not belong to the source "third" yet.*npx outgraph set-up/);
  });
});

describe('an outbox that was set up with a source', () => {
  it.each([
    '',
    'other',
  ])('refuses "%s" to set-up and commands, and names setting, values and what to do', async (source) => {
    for (const args of [['set-up'], ['verify'], ['backfill', 'post', '--direct', '--yes'], ['show', 'post', 'one']]) {
      const { exitCode, output } = outputOf(await renamed(shop, source).run(...args));
      expect({ args, exitCode }).toStrictEqual({ args, exitCode: 1 });
      const named = source === '' ? 'empty' : `"${source}"`;
      expect(output).toMatch(`OUTGRAPH_SOURCE is ${named}, but the outbox of the database`);
      expect(output).toMatch(/was set up with "shop".*--adopt/);
    }
    expect(await bindings()).toStrictEqual(['', 'blog/', 'shop/']);
  });

  it('is renamed: removed from the graph, adopted under the new name, and backfilled', async () => {
    const before = await slugs();
    expect(await shop.run('remove-source', '--yes')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/aggregates of the source "shop" removed. The binding is removed./),
    });
    expect(await bindings()).toStrictEqual(['', 'blog/']);
    expect(await slugs()).toStrictEqual(['blog-one']);
    expect(await query("MATCH (a:OutgraphAggregate) WHERE a.key STARTS WITH 'shop/' RETURN a")).toStrictEqual([]);
    expect(await query('MATCH (t:Tag) RETURN t.name AS name, t._outgraphShares AS shares ORDER BY name')).toStrictEqual(
      [
        { name: 'b', shares: 1n },
        { name: 'c', shares: 1n },
      ],
    );

    const store = renamed(shop, 'store');
    expect(await store.run('set-up', '--adopt')).toMatchObject({ exitCode: 0 });
    expect(await store.run('backfill', 'post', '--direct', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await slugs()).toStrictEqual(before);
    expect(await store.run('verify')).toMatchObject({ exitCode: 0 });
    expect(await blog.run('verify')).toMatchObject({ exitCode: 0 });
    expect(await bindings()).toStrictEqual(['', 'blog/', 'store/']);
  });

  it('is removed with its outbox gone, by a new outbox that adopts the source', async () => {
    const heir = open('store');
    expect(await heir.run('set-up', '--adopt')).toMatchObject({ exitCode: 0 });
    expect(await heir.run('remove-source', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await slugs()).toStrictEqual(['blog-one']);
  });

  it('leaves a graph without an outbox, and nothing of its own, if it is the last', async () => {
    await query("CREATE (:Post {slug: 'of a user'})");
    expect(await blog.run('remove-source', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await query('MATCH (n) RETURN n.slug AS slug')).toStrictEqual([{ slug: 'of a user' }]);
    await query('MATCH (n) DETACH DELETE n');
  });
});

describe('an outbox without a source', () => {
  it('has the keys that it always had, and the graph to itself', async () => {
    const alone = open('');
    await alone.start();
    await alone.write({ _id: 'one', slug: 'alone-one', title: 'A', tags: ['a', 'b'] });
    await alone.posts.deleteOne({ _id: 'one' });
    await alone.write({ _id: 'two', slug: 'alone-two', title: 'A', tags: ['a', 'b'] });
    await alone.stop();
    const entries = await query(
      "MATCH (a:OutgraphAggregate) WHERE NOT a.key CONTAINS 'canary' " +
        'RETURN a.key AS key, a.source AS source ORDER BY key',
    );
    expect(entries).toStrictEqual(['', 'post:one', 'post:two'].map((key) => ({ key, source: null })));
    expect(await query('MATCH (p:Post) RETURN p._outgraphOwner AS owner')).toStrictEqual([{ owner: 'post:two' }]);
    expect(await alone.db.collection(identityCollection).findOne({ source: { $exists: true } })).toBeNull();
    expect(await query("SHOW INDEXES YIELD name WHERE name = 'outgraph_tombstones' RETURN name")).toHaveLength(1);

    const { exitCode, output } = outputOf(await open('beside').run('set-up'));
    expect(exitCode).toBe(1);
    expect(output).toMatch(/belongs to the outbox \S+ alone, and OUTGRAPH_SOURCE is "beside"/);
    for (const args of [['set-up'], ['set-up', '--adopt']])
      expect(outputOf(await renamed(alone, 'named').run(...args)).exitCode).toBe(1);
    expect(await alone.run('verify')).toMatchObject({ exitCode: 0 });
  });

  it('gets a source: removed from the graph, adopted under it, and backfilled', async () => {
    const [alone] = opened.filter(({ keys, settings }) => keys.source === '' && settings.NEO4J_URI !== '').slice(-1);
    if (alone === undefined) throw new Error('There is no such outbox.');
    expect(await alone.run('remove-source', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await query('MATCH (n) RETURN n')).toStrictEqual([]);
    const named = renamed(alone, 'named');
    expect(outputOf(await named.run('set-up')).output).toMatch(/was set up with empty/);
    expect(await named.run('set-up', '--adopt')).toMatchObject({ exitCode: 0 });
    expect(await named.run('backfill', 'post', '--yes', '--direct')).toMatchObject({ exitCode: 0 });
    expect(await query('MATCH (p:Post) RETURN p._outgraphOwner AS owner')).toStrictEqual([{ owner: 'named/post:two' }]);
    expect(await named.run('verify')).toMatchObject({ exitCode: 0 });
  });
});
