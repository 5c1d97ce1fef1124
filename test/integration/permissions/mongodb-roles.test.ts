/**
 * The roles on a real replica set with access control: each part can do its work, every privilege
 * of its role is needed, and everything else is denied.
 */
import { type Db, MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { applyMongodbRoles } from '../../../infra/permissions/apply-mongodb-roles.ts';
import { translateMongodbError } from '../../../lib/outbox/mongodb-errors.ts';
import { setUpOutbox } from '../../../lib/set-up/mongodb-outbox.ts';
import { type Part, type Privilege, parts, privilegesOf, roleName } from '../../../lib/set-up/mongodb-roles.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { outboxEvent } from '../../support/outbox-event.ts';
import { partsAtWork } from './parts-at-work.ts';
import { randomPassword, type SecuredMongodb, startSecuredMongodb } from './secured-servers.ts';

const database = 'shop';
const writerCollections = [memoryEvent.collection];
const passwords = Object.fromEntries(parts.map((part) => [part, randomPassword()])) as Record<Part, string>;

let mongodb: SecuredMongodb;
let admin: Db;
const clients = new Map<Part, MongoClient>();
const dbOf = (part: Part) => (clients.get(part) as MongoClient).db(database);

beforeAll(async () => {
  mongodb = await startSecuredMongodb();
  admin = mongodb.admin.db(database);
  await applyMongodbRoles(mongodb.admin, { database, writerCollections, passwords });
  for (const part of parts)
    clients.set(part, new MongoClient(mongodb.uriOf(roleName(part, database), passwords[part])));
  await admin.collection('people').insertOne({ name: 'Ada' });
  await admin.collection(memoryEvent.collection).insertOne({ user_id: 'ada', date: '12-10' });
});
// A denied set-up may leave the outbox incomplete.
beforeEach(() => setUpOutbox(admin, { processedRetentionSeconds: 3_600 }));
afterAll(async () => {
  await Promise.all([...clients.values()].map((client) => client.close()));
  await mongodb.stop();
});

const setPrivileges = async (part: Part, wanted: readonly Privilege[]) => {
  const privileges = wanted.map(({ collection, actions }) => ({ resource: { db: database, collection }, actions }));
  await mongodb.admin.db('admin').command({ updateRole: roleName(part, database), privileges });
};

/** Whether the server denies the attempt. Any other answer means that it was allowed. */
const isDenied = async (attempt: () => Promise<unknown>) => {
  try {
    await attempt();
    return false;
  } catch (error) {
    return translateMongodbError(error).code === 'permission-denied';
  }
};

describe.each(parts)('the %s, with its own role', (part) => {
  it('can do all its work', async () => {
    await partsAtWork[part](dbOf(part), admin);
  });

  it('needs every privilege of its role', async () => {
    const privileges = privilegesOf(part, writerCollections);
    const superfluous: string[] = [];
    for (const { collection, actions } of privileges) {
      for (const action of actions) {
        const fewer = actions.filter((one) => one !== action);
        await setPrivileges(part, [
          ...privileges.filter((one) => one.collection !== collection),
          ...(fewer.length === 0 ? [] : [{ collection, actions: fewer }]),
        ]);
        if (!(await isDenied(() => partsAtWork[part](dbOf(part), admin))))
          superfluous.push(`${action} on ${collection}`);
      }
    }
    await setPrivileges(part, privileges);
    expect(superfluous).toStrictEqual([]);
  });
});

const nothing = { _id: new ObjectId() };
const outbox = (db: Db) => db.collection('outbox');

/** Operations that someone might try. Each does little or nothing if it is allowed. */
const attempts: Readonly<Record<string, (db: Db) => Promise<unknown>>> = {
  'read events': (db) => outbox(db).findOne(nothing),
  'insert an event': (db) => outbox(db).insertOne(outboxEvent()),
  'insert an event that bypasses the validator': (db) =>
    outbox(db).insertOne(outboxEvent({ status: 'nonsense' }), { bypassDocumentValidation: true }),
  'change events': (db) => outbox(db).updateOne(nothing, { $set: { attempts: 0 } }),
  'remove events': (db) => outbox(db).deleteOne(nothing),
  'follow events': async (db) => {
    const stream = outbox(db).watch([], { maxAwaitTimeMS: 1 });
    await stream.tryNext().finally(() => stream.close());
  },
  'follow the whole database': async (db) => {
    const stream = db.watch([], { maxAwaitTimeMS: 1 });
    await stream.tryNext().finally(() => stream.close());
  },
  'make an index on the outbox': (db) => outbox(db).createIndex({ operation: 1 }),
  'drop an index of the outbox': (db) => outbox(db).dropIndex('none_of_this_name'),
  "change the outbox's validator": (db) => db.command({ collMod: 'outbox', validationAction: 'error' }),
  'drop the outbox': (db) => outbox(db).drop(),
  'rename the outbox': (db) => outbox(db).rename('outbox2'),
  'drop the database': (db) => db.dropDatabase(),
  'read checkpoints': (db) => db.collection('outboxCheckpoints').findOne(nothing),
  'change checkpoints': (db) => db.collection('outboxCheckpoints').updateOne(nothing, { $set: { fence: 0 } }),
  'remove checkpoints': (db) => db.collection('outboxCheckpoints').deleteOne(nothing),
  'read trials': (db) => db.collection('outboxTrials').findOne(nothing),
  'remove conflicts': (db) => db.collection('outboxConflicts').deleteOne(nothing),
  'read discarded events': (db) => db.collection('outboxDiscarded').findOne(nothing),
  'change discarded events': (db) => db.collection('outboxDiscarded').updateOne(nothing, { $set: { reason: 'none' } }),
  'remove discarded events': (db) => db.collection('outboxDiscarded').deleteOne(nothing),
  "read the writer's documents": (db) => db.collection(memoryEvent.collection).findOne(nothing),
  "change the writer's documents": (db) =>
    db.collection(memoryEvent.collection).updateOne(nothing, { $set: { date: '01-01' } }),
  "make an index on the writer's documents": (db) => db.collection(memoryEvent.collection).createIndex({ date: 1 }),
  "drop the writer's documents": (db) => db.collection(memoryEvent.collection).drop(),
  "read other people's documents": (db) => db.collection('people').findOne(nothing),
  "change other people's documents": (db) => db.collection('people').updateOne(nothing, { $set: { name: 'Eve' } }),
  'join other documents to its own': (db) =>
    outbox(db)
      .aggregate([{ $lookup: { from: 'people', pipeline: [], as: 'people' } }])
      .toArray(),
  'write events out': (db) =>
    outbox(db)
      .aggregate([{ $out: 'copy' }])
      .toArray(),
  'make a collection': (db) => db.createCollection('more'),
  'see every collection': (db) => db.listCollections().toArray(),
  'read another database': (db) => db.client.db('elsewhere').collection('people').findOne(nothing),
  'read the oplog': (db) => db.client.db('local').collection('oplog.rs').findOne(nothing),
  'make a user': (db) => db.command({ createUser: 'eve', pwd: 'eve', roles: [] }),
  'give itself a role': (db) =>
    db.client.db('admin').command({ grantRolesToUser: roleName('writer', database), roles: ['root'] }),
  'read the settings of the server': (db) => db.client.db('admin').command({ getParameter: '*' }),
};

/** The operations that each part may do; all others are denied. */
const allowed: Readonly<Record<Part, readonly (keyof typeof attempts)[]>> = {
  writer: ['insert an event', "read the writer's documents", "change the writer's documents"],
  await: ['read events'],
  publisher: ['read events', 'follow events', 'read checkpoints', 'change checkpoints'],
  consumer: ['read events', 'change events', 'read trials', 'remove conflicts'],
  sweep: ['read events', 'insert an event', 'change events', 'read checkpoints', 'change checkpoints'],
  'set-up': ['make an index on the outbox', 'drop an index of the outbox', "change the outbox's validator"],
  worker: [
    'read events',
    'insert an event',
    'change events',
    'follow events',
    'read checkpoints',
    'change checkpoints',
    'read trials',
    'remove conflicts',
  ],
  operator: [
    'read events',
    'change events',
    'follow events',
    'read checkpoints',
    'read trials',
    'remove conflicts',
    'read discarded events',
  ],
  discard: ['read events', 'remove events'],
  reprojection: [
    'read events',
    'insert an event',
    'read checkpoints',
    'change checkpoints',
    'remove checkpoints',
    "read the writer's documents",
    "change the writer's documents",
  ],
  erasure: [
    'read events',
    'insert an event',
    'remove events',
    'remove conflicts',
    'read discarded events',
    'remove discarded events',
    "read the writer's documents",
  ],
};

describe('what each role allows and denies', () => {
  it('every attempt works for an administrator, so a denial comes from the role', async () => {
    const destructive = /^(drop|rename|write events out|follow the whole|make a user|give itself)/;
    for (const [name, attempt] of Object.entries(attempts))
      if (!destructive.test(name)) expect(await isDenied(() => attempt(admin)), name).toBe(false);
  });

  it.each(parts)('the %s may do exactly what is listed', async (part) => {
    const done: string[] = [];
    for (const [name, attempt] of Object.entries(attempts))
      if (!(await isDenied(() => attempt(dbOf(part))))) done.push(name);
    expect(done).toStrictEqual(allowed[part]);
  });
});

describe('applying the roles', () => {
  it('again changes nothing, and users keep their passwords', async () => {
    const rolesNow = async () =>
      (await mongodb.admin.db('admin').command({ rolesInfo: 1, showPrivileges: true })).roles;
    const before = await rolesNow();
    const users = await applyMongodbRoles(mongodb.admin, { database, writerCollections, passwords: {} });
    expect(users).toStrictEqual([]);
    expect(await rolesNow()).toStrictEqual(before);
    await partsAtWork.consumer(dbOf('consumer'), admin);
  });

  it('removes extra privileges, and changes a password', async () => {
    await setPrivileges('publisher', [{ collection: 'people', actions: ['find'] }]);
    const changed = randomPassword();
    const users = await applyMongodbRoles(mongodb.admin, {
      database,
      writerCollections,
      passwords: { publisher: changed },
    });
    expect(users).toStrictEqual([roleName('publisher', database)]);
    const client = new MongoClient(mongodb.uriOf(roleName('publisher', database), changed));
    expect(await isDenied(() => client.db(database).collection('people').findOne(nothing))).toBe(true);
    await partsAtWork.publisher(client.db(database), admin);
    await client.close();
  });

  it('is denied to a user who is not an administrator', async () => {
    const request = { database, writerCollections, passwords: {} };
    await expect(applyMongodbRoles(clients.get('set-up') as MongoClient, request)).rejects.toMatchObject({
      code: 'permission-denied',
    });
  });
});
