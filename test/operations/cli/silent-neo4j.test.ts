/** Commands with a Neo4j that keeps its connections open and answers nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, vi } from 'vitest';
import { read } from '../../../lib/graph/neo4j-read.ts';
import { unlessSilent } from '../../../lib/graph/neo4j-unless-silent.ts';
import type { GraphAddress } from '../../../lib/runtime/addresses.ts';
import { startOutgraphProcess } from '../../support/run-outgraph.ts';
import { it, type Site, settingsOf } from '../../support/site.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const id = '66a0c0ffee0123456789abcd';
const halfAMinute = 30_000;
/** A statement that runs for many seconds. */
const longStatement = 'UNWIND range(1, 40000000) AS n WITH n WHERE n % 2 = 0 RETURN count(n) AS count';

const graphOf = ({ graph }: Site): GraphAddress => {
  return {
    NEO4J_URI: graph.neo4j.uri,
    NEO4J_USERNAME: '',
    NEO4J_PASSWORD: '',
    NEO4J_DATABASE: 'neo4j',
    OUTGRAPH_SOURCE: '',
  };
};

describe('while Neo4j is paused', () => {
  it('every command that queries it exits within half a minute, with a reason', async ({ site }) => {
    const { database, graph } = site;
    await graph.neo4j.pause();
    try {
      const run = async (...args: readonly string[]) => {
        const startedAt = performance.now();
        const { exitCode, stdout, stderr } = await startOutgraphProcess(args, settingsOf(database, graph)).ended;
        expect(performance.now() - startedAt, args.join(' ')).toBeLessThan(halfAMinute);
        return [args[0], exitCode, /Neo4j at \S+ (cannot be reached|holds its)|No answer within/.test(stdout + stderr)];
      };
      const commands = [
        ['verify'],
        ['verify', '--repair', '--yes'],
        ['show', 'memory-user', id],
        ['doctor'],
        ['set-up'],
      ];
      for (const args of commands) expect(await run(...args)).toStrictEqual([args[0], 1, true]);
    } finally {
      await graph.neo4j.resume();
    }
  });

  it('a statement that is running when it is paused ends within half a minute', async ({ site }) => {
    const { driver, neo4j } = site.graph;
    const settings = graphOf(site);
    await read(driver, 'neo4j', 'RETURN 1', {});
    const work = unlessSilent(settings, () => read(driver, 'neo4j', longStatement, {})).catch(String);
    await sleep(1_000);
    const startedAt = performance.now();
    await neo4j.pause();
    try {
      expect(await work).toContain('Neo4j accepts connections but has not answered');
      expect(performance.now() - startedAt).toBeLessThan(halfAMinute);
    } finally {
      await neo4j.resume();
    }
  });

  it('a long statement on a working server is not interrupted', async ({ site }) => {
    const { driver } = site.graph;
    const rows = await unlessSilent(graphOf(site), () => read(driver, 'neo4j', longStatement, {}));
    expect(rows).toStrictEqual([{ count: 20_000_000n }]);
  });
});
