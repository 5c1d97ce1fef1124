/** Two outboxes feed one graph: each owns, judges, counts and deletes only its own aggregates. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { redrive } from '../../../cli/redrive/redrive.ts';
import { fromPosition } from '../../../lib/contract/position.ts';
import { purgeTombstones } from '../../../lib/sweep/purge-tombstones.ts';
import { joinOutbox, joinTombstones } from '../../../lib/sweep/wiring.ts';
import { type Post, type Service, startTwoSources, type TwoSources } from '../../support/two-sources.ts';

let two: TwoSources;
let shop: Service;
let blog: Service;
let query: TwoSources['query'];
beforeAll(async () => {
  two = await startTwoSources();
  ({ shop, blog, query } = two);
});
afterAll(() => two?.drop());

let ids = 0;
let id: string;
beforeEach(() => {
  ids += 1;
  id = `post-${ids}`;
});

const shops = (fields: Partial<Post> = {}): Post => ({
  _id: id,
  slug: `shop-${id}`,
  title: 'S',
  tags: [id],
  ...fields,
});
const blogs = (fields: Partial<Post> = {}): Post => ({
  _id: id,
  slug: `blog-${id}`,
  title: 'B',
  tags: [id],
  ...fields,
});
const nodesOf = (label: string, key: string) =>
  query(`MATCH (n:${label}) WHERE n.slug = $key OR n.name = $key RETURN properties(n) AS node`, { key }).then((rows) =>
    rows.map(({ node }) => node),
  );
/** The registry's entry, with its elements. */
const entryOf = async (service: Service) => {
  const key = service.keys.of({ aggregateType: 'post', aggregateId: id });
  const [row] = await query('MATCH (a:OutgraphAggregate {key: $key}) RETURN properties(a) AS entry', { key });
  return (row?.entry ?? null) as Readonly<Record<string, unknown>> | null;
};
/** Everything that the graph has of a service, bookkeeping included. */
const everythingOf = async ({ keys }: Service) => ({
  entries: await query(
    `MATCH (a:OutgraphAggregate) WHERE a.key STARTS WITH $source AND NOT a.key CONTAINS 'canary'
     RETURN properties(a) AS entry ORDER BY a.key`,
    { source: keys.binding },
  ),
  nodes: await query(
    'MATCH (n) WHERE n._outgraphOwner STARTS WITH $source RETURN properties(n) AS node ORDER BY n.slug',
    { source: keys.binding },
  ),
  relationships: await query(
    'MATCH ()-[r]->() WHERE r._outgraphId STARTS WITH $source RETURN properties(r) AS r ORDER BY r._outgraphId',
    { source: keys.binding },
  ),
});
const factsOf = (stdout: string) => JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Record<string, unknown>;
const verify = async (service: Service, ...args: readonly string[]) => {
  const { stdout, stderr } = await service.run('verify', '--transaction-seconds', '0', '--json', ...args);
  expect(stderr).not.toMatch(/Error/);
  return factsOf(stdout);
};
const expectEqual = async (service: Service) =>
  expect(await verify(service)).toMatchObject({
    outcome: 'equal',
    differences: { missing: 0, stale: 0, changed: 0, ghost: 0, unowned: 0, dead: 0 },
  });
/** Deletes the document, so that its aggregate is a ghost. */
const loseDocument = async (service: Service) => {
  await service.untracked.deleteOne({ _id: id });
};
const passTransactionSeconds = async () => {
  // A ghost counts from a second after its event.
  const [row] = await query('MATCH (a:OutgraphAggregate {key: $key}) RETURN a.position AS position', {
    key: shop.keys.of({ aggregateType: 'post', aggregateId: id }),
  });
  const { t } = fromPosition(row?.position as Parameters<typeof fromPosition>[0]);
  while (Date.now() / 1000 < t + 2) await new Promise((resolve) => setTimeout(resolve, 100));
};

describe('the same type and id in two sources', () => {
  it('are two aggregates', async () => {
    await Promise.all([shop.write(shops()), blog.write(blogs())]);
    expect(await nodesOf('Post', `shop-${id}`)).toMatchObject([{ title: 'S', _outgraphOwner: `shop/post:${id}` }]);
    expect(await nodesOf('Post', `blog-${id}`)).toMatchObject([{ title: 'B', _outgraphOwner: `blog/post:${id}` }]);
    await Promise.all([expectEqual(shop), expectEqual(blog)]);
  });

  it('conflict on a node that both own, and the second one is applied once the first releases it', async () => {
    await shop.write(shops({ slug: id }));
    await blog.posts.insertOne({ ...blogs({ slug: id }), tags: [id] });
    await expect(blog.settled()).rejects.toMatchObject({
      code: 'ownership-conflict',
      message: expect.stringMatching(`is listed by blog/post:${id}, but belongs to shop/post:${id}`),
    });
    expect(await nodesOf('Post', id)).toMatchObject([{ title: 'S', _outgraphOwner: `shop/post:${id}` }]);

    await shop.posts.deleteOne({ _id: id });
    await shop.settled();
    const everything = { codes: [], aggregateTypes: [], eventIds: [] };
    const running = { ratePerSecond: 100, signal: new AbortController().signal, progress: () => undefined };
    await redrive(blog.db, everything, new Date(Date.now() + 60_000), running);
    await blog.settled();
    expect(await nodesOf('Post', id)).toMatchObject([{ title: 'B', _outgraphOwner: `blog/post:${id}` }]);
  });

  it('have relationships of their own between the same nodes', async () => {
    await shop.write(shops());
    await blog.write(blogs());
    const rows = await query('MATCH (p:Post)-[r:TAGGED]->(:Tag {name: $id}) RETURN p.slug AS slug', { id });
    expect(rows.map(({ slug }) => slug).sort()).toStrictEqual([`blog-${id}`, `shop-${id}`]);
  });
});

describe('elements that both sources share', () => {
  it('are counted for both, and exist until neither lists them', async () => {
    const tags = [id, `${id}-last`];
    const near = () => query('MATCH (:Tag {name: $id})-[r:NEAR]->() RETURN r._outgraphShares AS shares', { id });
    await Promise.all([shop.write(shops({ tags })), blog.write(blogs({ tags }))]);
    expect(await nodesOf('Tag', id)).toMatchObject([{ _outgraphShares: 2n }]);
    expect(await near()).toStrictEqual([{ shares: 2n }]);

    await shop.posts.deleteOne({ _id: id });
    await shop.settled();
    expect(await nodesOf('Tag', id)).toMatchObject([{ _outgraphShares: 1n }]);
    expect(await near()).toStrictEqual([{ shares: 1n }]);
    await Promise.all([expectEqual(shop), expectEqual(blog)]);

    await blog.posts.deleteOne({ _id: id });
    await blog.settled();
    expect(await nodesOf('Tag', id)).toStrictEqual([]);
    expect(await near()).toStrictEqual([]);
  });

  it('with a wrong count are found by each source, and repaired by one', async () => {
    await Promise.all([shop.write(shops()), blog.write(blogs())]);
    await query('MATCH (t:Tag {name: $id}) SET t._outgraphShares = 7', { id });
    for (const service of [shop, blog])
      expect(await verify(service)).toMatchObject({ differences: { changed: 1, unowned: 0 } });
    await verify(shop, '--repair', '--yes');
    expect(await nodesOf('Tag', id)).toMatchObject([{ _outgraphShares: 2n }]);
    await Promise.all([expectEqual(shop), expectEqual(blog)]);
  });
});

describe('a deletion', () => {
  it('leaves the aggregate of the other source, and its tombstone names the source', async () => {
    await Promise.all([shop.write(shops()), blog.write(blogs())]);
    const before = await everythingOf(blog);
    await shop.posts.deleteOne({ _id: id });
    await shop.settled();
    expect(await everythingOf(blog)).toMatchObject({ nodes: before.nodes, relationships: before.relationships });
    expect(await entryOf(shop)).toMatchObject({ deletedAt: expect.anything(), source: 'shop' });
    expect(await entryOf(blog)).not.toHaveProperty('source');
  });

  it('is forgotten when the aggregate returns', async () => {
    await shop.write(shops());
    await shop.posts.deleteOne({ _id: id });
    await shop.write(shops({ title: 'again' }));
    expect(await entryOf(shop)).not.toHaveProperty('source');
    expect(await nodesOf('Post', `shop-${id}`)).toMatchObject([{ title: 'again' }]);
  });

  it('is purged by its own source alone', async () => {
    await Promise.all([shop.write(shops()), blog.write(blogs())]);
    await Promise.all([shop.posts.deleteOne({ _id: id }), blog.posts.deleteOne({ _id: id })]);
    await Promise.all([shop.settled(), blog.settled()]);
    await Promise.all([shop.stop(), blog.stop()]);
    await query(
      'MATCH (a:OutgraphAggregate) WHERE a.deletedAt IS NOT NULL SET a.deletedAt = a.deletedAt - duration({days: 40})',
    );
    const purge = ({ db, keys }: Service) => {
      const ports = { ...joinOutbox(db, keys), ...joinTombstones(two.driver, '', keys), remainingMillis: () => 60_000 };
      return purgeTombstones(ports, 15);
    };
    expect(await purge(shop)).toBeGreaterThan(0);
    expect(await entryOf(shop)).toBeNull();
    expect(await entryOf(blog)).toMatchObject({ source: 'blog' });
    // An event that can become pending again holds the tombstone of its own source.
    await shop.outbox.updateMany(
      { aggregateId: id },
      {
        $set: { status: 'dead', deadAt: new Date(), error: { code: 'test', message: '' } },
        $unset: { processedAt: '' },
      },
    );
    expect(await purge(shop)).toBe(0);
    expect(await purge(blog)).toBeGreaterThan(0);
    expect(await entryOf(blog)).toBeNull();
    await shop.outbox.deleteMany({ aggregateId: id });
    await Promise.all([shop.start(), blog.start()]);
  });
});

describe('what only one source has wrong', () => {
  it('a ghost is found, and removed by verify --repair, in its own source', async () => {
    await Promise.all([shop.write(shops()), blog.write(blogs())]);
    await loseDocument(shop);
    await passTransactionSeconds();
    const before = await everythingOf(shop);
    expect(await verify(blog, '--repair', '--yes')).toMatchObject({ outcome: 'equal', deletionsRecorded: 0 });
    expect(await everythingOf(shop)).toStrictEqual(before);
    const others = await everythingOf(blog);
    expect(await verify(shop)).toMatchObject({ differences: { ghost: 1, unowned: 0 } });
    expect(await verify(shop, '--repair', '--yes')).toMatchObject({ outcome: 'equal', deletionsRecorded: 1 });
    expect(await nodesOf('Post', `shop-${id}`)).toStrictEqual([]);
    expect(await everythingOf(blog)).toStrictEqual(others);
  });

  it('a lost entry of the registry is repaired by its own source, and its elements stay until then', async () => {
    await Promise.all([shop.write(shops()), blog.write(blogs())]);
    await query('MATCH (a:OutgraphAggregate {key: $key}) DELETE a', { key: `shop/post:${id}` });
    const before = await everythingOf(shop);
    expect(before.nodes.length).toBeGreaterThan(0);
    await verify(blog, '--repair', '--yes');
    expect(await everythingOf(shop)).toStrictEqual(before);
    expect(await verify(shop, '--repair', '--yes')).toMatchObject({ outcome: 'equal' });
    expect(await entryOf(shop)).not.toBeNull();
    await Promise.all([expectEqual(shop), expectEqual(blog)]);
  });

  it('a changed node and a removed relationship are repaired in their own source', async () => {
    await Promise.all([shop.write(shops()), blog.write(blogs())]);
    await query('MATCH (p:Post {slug: $slug})-[r:TAGGED]->() SET p.title = "changed" DELETE r', { slug: `shop-${id}` });
    await expectEqual(blog);
    expect(await verify(shop)).toMatchObject({ differences: { changed: 2 } });
    expect(await verify(shop, '--repair', '--yes')).toMatchObject({ outcome: 'equal' });
    expect(await nodesOf('Post', `shop-${id}`)).toMatchObject([{ title: 'S' }]);
    await Promise.all([expectEqual(shop), expectEqual(blog)]);
  });

  it('an aggregate without a document is pruned by the backfill of its own source', async () => {
    await Promise.all([shop.write(shops()), blog.write(blogs())]);
    await loseDocument(shop);
    await passTransactionSeconds();
    const prune = ['backfill', 'post', '--prune', '--transaction-seconds', '0', '--yes', '--json'];
    const others = await everythingOf(shop);
    expect(await blog.run(...prune)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('"pruned":0') });
    await blog.settled();
    expect(await everythingOf(shop)).toStrictEqual(others);
    expect(await shop.run(...prune)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('"pruned":1') });
    await shop.settled();
    expect(await nodesOf('Post', `shop-${id}`)).toStrictEqual([]);
    expect(await nodesOf('Post', `blog-${id}`)).toHaveLength(1);
    await Promise.all([expectEqual(shop), expectEqual(blog)]);
  });

  it('documents that were never recorded are brought by backfill --direct under their source', async () => {
    await blog.write(blogs());
    await shop.untracked.insertOne({ ...shops() });
    const direct = ['backfill', 'post', '--direct', '--yes', '--json'];
    expect(await shop.run(...direct)).toMatchObject({ exitCode: 0 });
    expect(await nodesOf('Post', `shop-${id}`)).toMatchObject([{ _outgraphOwner: `shop/post:${id}` }]);
    await Promise.all([expectEqual(shop), expectEqual(blog)]);
  });
});

describe('commands about one source', () => {
  it('status counts its own events', async () => {
    await shop.write(shops());
    await blog.stop();
    await blog.posts.insertOne({ ...blogs(), tags: [id] });
    const pendingOf = async (service: Service) => factsOf((await service.run('status', '--json')).stdout);
    expect(await pendingOf(shop)).toMatchObject({ pending: 0 });
    expect(await pendingOf(blog)).toMatchObject({ pending: 1 });
    await blog.start();
    await blog.settled();
  });

  it('doctor finds the source, its binding and its index', async () => {
    for (const service of [shop, blog]) {
      const { stdout } = await service.run('doctor');
      expect(stdout).toMatch(new RegExp(`outbox +the graph's source ${service.keys.source} belongs to this outbox`));
      expect(stdout).not.toMatch(/outgraph_source_tombstones is missing/);
    }
  });

  it('show compares the aggregate of its source', async () => {
    await Promise.all([shop.write(shops()), blog.write(blogs({ title: 'of the blog' }))]);
    const { exitCode, stdout } = await blog.run('show', 'post', id, '--json');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/of the blog/);
    expect(stdout).not.toMatch(`shop-${id}`);
    await query('MATCH (p:Post {slug: $slug}) SET p.title = "changed"', { slug: `shop-${id}` });
    expect(await blog.run('show', 'post', id)).toMatchObject({ exitCode: 0 });
    expect((await shop.run('show', 'post', id)).exitCode).not.toBe(0);
    expect(await verify(shop, '--repair', '--yes')).toMatchObject({ outcome: 'equal' });
  });

  it('forget erases the aggregate of its source', async () => {
    await Promise.all([shop.write(shops()), blog.write(blogs())]);
    await loseDocument(shop);
    expect(await shop.run('forget', 'post', id, '--yes')).toMatchObject({ exitCode: 0 });
    expect(await nodesOf('Post', `shop-${id}`)).toStrictEqual([]);
    expect(await nodesOf('Post', `blog-${id}`)).toHaveLength(1);
    expect(await blog.outbox.countDocuments({ aggregateId: id, payload: { $exists: true } })).toBe(1);
    await expectEqual(blog);
  });
});
