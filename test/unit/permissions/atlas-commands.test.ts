import { describe, expect, it } from 'vitest';
import { atlasCommands } from '../../../infra/permissions/atlas-commands.ts';
import { parts, privilegesOf } from '../../../lib/set-up/mongodb-roles.ts';

const commands = atlasCommands({ database: 'shop', writerCollections: ['people'] });

describe('the commands for Atlas', () => {
  it('create or update a role for each part, and create a user with it', () => {
    expect(commands.length).toBe(2 * parts.length);
    const writer = "'INSERT@shop.outbox,FIND@shop.people,INSERT@shop.people,UPDATE@shop.people,REMOVE@shop.people'";
    expect(commands[0]).toBe(
      `atlas customDbRoles create 'outgraph-shop-writer' --privilege ${writer} || ` +
        `atlas customDbRoles update 'outgraph-shop-writer' --privilege ${writer}`,
    );
    expect(commands[parts.length]).toBe(
      "atlas dbusers create --username 'outgraph-shop-writer' --role 'outgraph-shop-writer@admin' " +
        `--scope "\${ATLAS_CLUSTER:?Set it to the name of the cluster.}"`,
    );
  });

  it('grant nothing on a whole database or cluster', () => {
    const privileges = commands.flatMap((command) => /--privilege '([^']*)'/.exec(command)?.[1]?.split(',') ?? []);
    expect(privileges.length).toBeGreaterThan(40);
    expect(privileges.filter((one) => !/^[A-Z_]+@shop\.\w+$/.test(one))).toStrictEqual([]);
  });
});

describe("a writer's collections", () => {
  it.each([
    '',
    'outbox',
    'outboxTrials',
    'outboxDiscarded',
    'system.users',
    '$cmd',
    'a,FIND@shop.people',
    "a'; rm",
  ])('cannot be %j', (name) => {
    expect(() => privilegesOf('writer', [name])).toThrow("cannot be a writer's own collection");
  });

  it.each(['people', 'outboxes', 'memory.events-2'])('can be %j', (name) => {
    expect(privilegesOf('writer', [name]).at(-1)?.collection).toBe(name);
  });
});
