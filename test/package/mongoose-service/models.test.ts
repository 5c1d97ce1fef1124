/** What Mongoose adds to a write still happens: validation, hooks, versions, discriminators, buffering. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import mongoose from 'mongoose';
import { trackModel } from 'outgraph-writer';
import { connect, eventsOf, newId, person } from './support.ts';

const fields = { name: { type: String, required: true } } as const;

/** A schema that records the steps of each write. */
function personSchema(steps: string[] = []) {
  const schema = new mongoose.Schema(
    {
      ...fields,
      nick: { type: String, unique: true, sparse: true },
      cities: [new mongoose.Schema({ name: String }, { _id: false })],
    },
    { timestamps: true, optimisticConcurrency: true },
  );
  schema.plugin(trackModel(person));
  schema.pre('save', function () {
    steps.push(`before ${this.name}`);
  });
  schema.post('save', async function () {
    steps.push(`after ${(await eventsOf(this.db as mongoose.Connection, this._id)).join()}`);
  });
  return schema;
}

let connection: mongoose.Connection;
const modelOf = (on: mongoose.Connection, schema = personSchema()) => on.model('Person', schema, 'people');
let Person: ReturnType<typeof modelOf>;
before(async () => {
  connection = await connect();
  Person = modelOf(connection);
  await Person.init();
});
after(() => connection.close());

/** The last event's payload. */
async function stateOf(id: mongoose.Types.ObjectId) {
  const event = await connection.collection('outbox').findOne({ aggregateId: String(id) }, { sort: { position: -1 } });
  return event?.payload;
}

it('the payload is the stored document, with subdocuments, timestamps and version', async () => {
  const _id = newId();
  const ada = await Person.create({ _id, name: 'Ada', cities: [{ name: 'London' }] });
  ada.cities.push({ name: 'Paris' });
  await ada.save();
  const stored = await connection.db?.collection('people').findOne({ _id });
  assert.deepEqual(await stateOf(_id), stored);
  assert.deepEqual(stored?.cities, [{ name: 'London' }, { name: 'Paris' }]);
  assert.equal(stored?.__v, 1);
  assert.ok(stored?.updatedAt > stored?.createdAt);
});

it('a save that changes nothing that the payload reads records no event', async () => {
  const ada = await Person.create({ _id: newId(), name: 'Ada' });
  ada.nick = String(ada._id);
  await ada.save();
  assert.deepEqual(await eventsOf(connection, ada._id), ['Ada']);
});

it('a document that Mongoose finds invalid leaves neither document nor event', async () => {
  const _id = newId();
  await assert.rejects(Person.create({ _id }), mongoose.Error.ValidationError);
  assert.deepEqual(await eventsOf(connection, _id), []);
});

it('a document that the aggregate finds invalid is not written, and stays new', async () => {
  const ada = new Person({ _id: newId(), name: 'Ada' });
  ada.$set('cities', [{}]);
  await assert.rejects(ada.save(), { name: 'Fault', code: 'payload-invalid' });
  assert.equal(ada.isNew, true);
  assert.equal(await Person.exists({ _id: ada._id }), null);
  ada.$set('cities', []);
  await ada.save();
  assert.deepEqual(await eventsOf(connection, ada._id), ['Ada']);
});

it('of two saves of one version the second is refused, without an event', async () => {
  const { _id } = await Person.create({ _id: newId(), name: 'Ada' });
  const [first, second] = [await Person.findById(_id).orFail(), await Person.findById(_id).orFail()];
  first.name = 'Ida';
  second.name = 'Eda';
  await first.save();
  await assert.rejects(second.save(), mongoose.Error.VersionError);
  assert.deepEqual(await eventsOf(connection, _id), ['Ada', 'Ida']);
});

it('of insertMany that fails nothing is inserted, and Mongoose knows', async () => {
  const [_id, other] = [newId(), newId()];
  const [ada, bob] = [
    new Person({ _id, name: 'Ada', nick: String(_id) }),
    new Person({ _id: other, name: 'Bob', nick: String(_id) }),
  ];
  const failed = await Person.insertMany([ada, bob]).catch((error: unknown) => error);
  const { code, insertedDocs } = failed as { code: number; insertedDocs: readonly unknown[] };
  assert.deepEqual([code, insertedDocs, ada.isNew], [11000, [], true]);
  assert.deepEqual(await eventsOf(connection, _id, other), []);
});

it('hooks run around the transaction: after a save, its event is committed', async () => {
  const steps: string[] = [];
  const separate = await connect();
  const Model = modelOf(separate, personSchema(steps));
  await Model.create({ _id: newId(), name: 'Ada' });
  assert.deepEqual(steps, ['before Ada', 'after Ada']);
  await separate.close();
});

it('a transaction commits the writes of several documents and their events, in their order', async () => {
  const [_id, other] = [newId(), newId()];
  await connection.transaction(async (session) => {
    const [ada] = await Person.create([{ _id, name: 'Ada' }], { session });
    await Person.create([{ _id: other, name: 'Bob' }], { session });
    assert.ok(ada !== undefined);
    ada.name = 'Ida';
    await ada.save();
    assert.deepEqual(await eventsOf(connection, _id, other), []);
  });
  assert.deepEqual(await eventsOf(connection, _id, other), ['Ada', 'Bob', 'Ida']);
});

it('a write that fails in a transaction prevents its commit, even if the error is caught', async () => {
  const [_id, other] = [newId(), newId()];
  const committed = connection.transaction(async (session) => {
    await Person.create([{ _id, name: 'Ada' }], { session });
    await Person.collection.insertOne({ _id: other, name: 7 }, { session }).catch(() => undefined);
  });
  await assert.rejects(committed, /The transaction was aborted/);
  assert.equal(await Person.countDocuments({ _id: { $in: [_id, other] } }), 0);
  assert.deepEqual(await eventsOf(connection, _id, other), []);
});

it('writes join the transaction of transactionAsyncLocalStorage', async () => {
  const instance = new mongoose.Mongoose({ transactionAsyncLocalStorage: true });
  const separate = await connect(instance);
  const schema = new instance.Schema(fields);
  schema.plugin(trackModel(person));
  const Model = separate.model('Person', schema, 'people');
  const _id = newId();
  const aborted = separate.transaction(async () => {
    await Model.create({ _id, name: 'Ada' });
    await Model.updateOne({ _id }, { name: 'Ida' });
    throw new Error('abort');
  });
  await assert.rejects(aborted, /abort/);
  assert.equal(await Model.countDocuments({ _id }), 0);
  assert.deepEqual(await eventsOf(connection, _id), []);
  await separate.close();
});

it('discriminators are tracked with their base model', async () => {
  const separate = await connect();
  const Base = modelOf(separate);
  const Student = Base.discriminator('Student', new mongoose.Schema({ school: String }));
  const _id = newId();
  await Student.create({ _id, name: 'Ada', school: 'Oxford' });
  await Student.updateOne({ _id }, { name: 'Ida' });
  await Base.deleteOne({ _id });
  assert.deepEqual(await eventsOf(connection, _id), ['Ada', 'Ida', 'delete']);
  await separate.close();
});

it('a write before the connection is open waits for it, and is tracked', async () => {
  const separate = mongoose.createConnection();
  const Model = modelOf(separate);
  const _id = newId();
  const created = Model.create({ _id, name: 'Ada' });
  const { MONGODB_URI = '', MONGODB_DATABASE = '' } = process.env;
  await separate.openUri(MONGODB_URI, { dbName: MONGODB_DATABASE });
  await created;
  assert.deepEqual(await eventsOf(connection, _id), ['Ada']);
  await separate.close();
});

it('a model in a further database or connection is tracked there', async () => {
  const separate = await connect();
  const Model = modelOf(separate);
  const further = separate.useDb(separate.name);
  const [_id, other] = [newId(), newId()];
  await modelOf(further).create({ _id, name: 'Ada' });
  Model.useConnection(separate.useDb(separate.name));
  await Model.create({ _id: other, name: 'Bob' });
  assert.deepEqual(await eventsOf(connection, _id, other), ['Ada', 'Bob']);
  await separate.close();
});

it('reads, change streams and indexes work as before', async () => {
  const { _id } = await Person.create({ _id: newId(), name: 'Ada' });
  assert.equal((await Person.findById(_id).lean())?.name, 'Ada');
  assert.deepEqual(await Person.distinct('name', { _id }), ['Ada']);
  assert.deepEqual(await Person.aggregate([{ $match: { _id } }, { $count: 'people' }]), [{ people: 1 }]);
  const names: string[] = [];
  for await (const { name } of Person.find({ _id }).cursor()) names.push(name);
  assert.deepEqual(names, ['Ada']);
  assert.ok((await Person.listIndexes()).some(({ key }) => 'nick' in key));
  const stream = Person.watch();
  await stream.close();
});

it('a session of null is none', async () => {
  const _id = newId();
  await new Person({ _id, name: 'Ada' }).save({ session: null });
  await Person.updateOne({ _id }, { name: 'Ida' }).session(null);
  assert.deepEqual(await eventsOf(connection, _id), ['Ada', 'Ida']);
});

it('a model whose collection is not the one of its aggregate is refused', () => {
  assert.throws(() => connection.model('Human', personSchema()), /writes the collection humans, and .* is in people/);
});

it('a collection is of one aggregate type', () => {
  const schema = new mongoose.Schema(fields);
  schema.plugin(trackModel({ ...person, type: 'human' }));
  assert.throws(() => connection.model('Human', schema, 'people'), /already tracked as "person"/);
});
