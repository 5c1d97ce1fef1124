/** Each method of a model that writes records its events. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import mongoose from 'mongoose';
import { trackModel } from 'outgraph-writer';
import { connect, eventsOf, newId, person } from './support.ts';

const schema = new mongoose.Schema({
  name: { type: String, required: true },
  cities: [{ _id: false, name: String }],
});
schema.plugin(trackModel(person));

interface InSession {
  session?: mongoose.ClientSession;
}

let connection: mongoose.Connection;
const modelOf = (on: mongoose.Connection) => on.model('Person', schema, 'people');
type Person = ReturnType<typeof modelOf>;
let Person: Person;
before(async () => {
  connection = await connect();
  Person = modelOf(connection);
});
after(() => connection.close());

/** Writes of a document named Ada, each with the event that it records. */
const onAda: Record<string, [(id: mongoose.Types.ObjectId, options: InSession) => PromiseLike<unknown>, string]> = {
  'document.save': [
    async (_id, options) => {
      const ada = await Person.findById(_id, null, options).orFail();
      ada.name = 'Ida';
      ada.cities.push({ name: 'Paris' });
      await ada.save();
    },
    'Ida',
  ],
  'document.updateOne': [
    async (_id, options) => (await Person.findById(_id).orFail()).updateOne({ name: 'Ida' }, options),
    'Ida',
  ],
  'document.deleteOne': [async (_id, options) => (await Person.findById(_id).orFail()).deleteOne(options), 'delete'],
  updateOne: [(_id, options) => Person.updateOne({ _id }, { name: 'Ida' }, options), 'Ida'],
  updateMany: [(_id, options) => Person.updateMany({ _id }, { $set: { name: 'Ida' } }, options), 'Ida'],
  replaceOne: [(_id, options) => Person.replaceOne({ _id }, { name: 'Ida' }, options), 'Ida'],
  findOneAndUpdate: [(_id, options) => Person.findOneAndUpdate({ _id }, { name: 'Ida' }, options), 'Ida'],
  findByIdAndUpdate: [(_id, options) => Person.findByIdAndUpdate(_id, { name: 'Ida' }, options), 'Ida'],
  findOneAndReplace: [(_id, options) => Person.findOneAndReplace({ _id }, { name: 'Ida' }, options), 'Ida'],
  findOneAndDelete: [(_id, options) => Person.findOneAndDelete({ _id }, options), 'delete'],
  findByIdAndDelete: [(_id, options) => Person.findByIdAndDelete(_id, options), 'delete'],
  deleteOne: [(_id, options) => Person.deleteOne({ _id }, options), 'delete'],
  deleteMany: [(_id, options) => Person.deleteMany({ _id }, options), 'delete'],
  bulkWrite: [
    (_id, options) => Person.bulkWrite([{ updateOne: { filter: { _id }, update: { name: 'Ida' } } }], options),
    'Ida',
  ],
  bulkSave: [
    async (_id, options) => {
      const ada = await Person.findById(_id).orFail();
      ada.name = 'Ida';
      await Person.bulkSave([ada], options);
    },
    'Ida',
  ],
  'collection.updateOne': [
    (_id, options) => Person.collection.updateOne({ _id }, { $set: { name: 'Ida' } }, options),
    'Ida',
  ],
};

for (const [name, [write, event]] of Object.entries(onAda)) {
  describe(name, () => {
    it('records the event of its document', async () => {
      const _id = newId();
      await Person.create({ _id, name: 'Ada' });
      await write(_id, {});
      assert.deepEqual(await eventsOf(connection, _id), ['Ada', event]);
    });

    it('in an aborted transaction leaves neither document nor event', async () => {
      const _id = newId();
      await Person.create({ _id, name: 'Ada' });
      const aborted = connection.transaction(async (session) => {
        await write(_id, { session });
        assert.notEqual((await Person.findById(_id, null, { session }).lean())?.name, 'Ada');
        throw new Error('abort');
      });
      await assert.rejects(aborted, /abort/);
      assert.equal((await Person.findById(_id).lean())?.name, 'Ada');
      assert.deepEqual(await eventsOf(connection, _id), ['Ada']);
    });
  });
}

const inserts: Record<string, (ids: readonly mongoose.Types.ObjectId[]) => PromiseLike<unknown>> = {
  'document.save': (ids) => Promise.all(ids.map((_id) => new Person({ _id, name: 'Ada' }).save())),
  create: (ids) => Person.create(ids.map((_id) => ({ _id, name: 'Ada' }))),
  insertMany: (ids) => Person.insertMany(ids.map((_id) => ({ _id, name: 'Ada' }))),
  'insertMany with rawResult': (ids) =>
    Person.insertMany(
      ids.map((_id) => ({ _id, name: 'Ada' })),
      { rawResult: true },
    ),
  bulkSave: (ids) => Person.bulkSave(ids.map((_id) => new Person({ _id, name: 'Ada' }))),
  updateOne: (ids) => Promise.all(ids.map((_id) => Person.updateOne({ _id }, { name: 'Ada' }, { upsert: true }))),
  findOneAndUpdate: (ids) =>
    Promise.all(ids.map((_id) => Person.findOneAndUpdate({ _id }, { name: 'Ada' }, { upsert: true }))),
};
for (const [name, insert] of Object.entries(inserts)) {
  it(`${name} records an event for each document that it inserts`, async () => {
    const ids = [newId(), newId()];
    await insert(ids);
    assert.deepEqual(await eventsOf(connection, ...ids), ['Ada', 'Ada']);
    assert.equal(await Person.countDocuments({ _id: { $in: ids } }), 2);
  });
}

it('findOneAndUpdate returns what Mongoose documents', async () => {
  const _id = newId();
  const upsert = { upsert: true, returnDocument: 'after', includeResultMetadata: true } as const;
  const first = await Person.findOneAndUpdate({ _id }, { name: 'Ada' }, upsert);
  assert.equal(first.value?.name, 'Ada');
  assert.deepEqual(first.lastErrorObject?.upserted, _id);
  const second = await Person.findOneAndUpdate({ _id }, { name: 'Ida' }, upsert);
  assert.equal(second.lastErrorObject?.updatedExisting, true);
  assert.equal((await Person.findOneAndUpdate({ _id }, { name: 'Eda' }).lean())?.name, 'Ida');
});

const refused: Record<string, (id: mongoose.Types.ObjectId) => unknown> = {
  'aggregate with $merge': () => Person.aggregate([{ $merge: { into: 'others' } }]),
  'aggregate with $out': () =>
    Person.aggregate([{ $match: {} }, { $out: 'others' }])
      .cursor()
      .next(),
  'insertMany with ordered: false': (_id) => Person.insertMany([{ _id, name: 'Ada' }], { ordered: false }),
  'bulkWrite with ordered: false': (_id) =>
    Person.bulkWrite([{ insertOne: { document: { _id, name: 'Ada' } } }], { ordered: false }),
  'bulkWrite of the connection': (_id) =>
    connection.bulkWrite([{ model: 'Person', name: 'insertOne', document: { _id, name: 'Ada' } }]),
  'initializeOrderedBulkOp of the collection': () => Person.collection.initializeOrderedBulkOp(),
  'rename of the collection': () => Person.collection.rename('others'),
  'drop of the collection': () => Person.collection.drop(),
};
for (const [name, write] of Object.entries(refused)) {
  it(`${name} is refused, and says what to use`, async () => {
    const _id = newId();
    await assert.rejects(async () => write(_id), {
      name: 'Fault',
      code: 'untracked',
      message: /: (use|read|leave|its|declare)/,
    });
    assert.equal(await Person.countDocuments({ _id }), 0);
  });
}
