/**
 * What the publisher relies on in a bus, tested on the real bus and on the faulty one without
 * faults; then what the adapter does about each fault, on the faulty one.
 */
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { ObjectId } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Pointer, packPointers, readPointers } from '../../../lib/contract/pointer.ts';
import { connectEventBus, sendPacks } from '../../../lib/publisher/event-bus.ts';
import { inChunks } from '../../../lib/runtime/in-chunks.ts';
import { freePort } from '../../../tools/local/free-port.ts';
import { type BusFault, type FaultyBus, startFaultyBus } from '../../support/faulty-bus.ts';
import { servers } from '../../support/servers.ts';
import { createTestBus, patientMillis, type TestBus } from '../../support/test-bus.ts';

let bus: TestBus;
let faulty: FaultyBus;
beforeAll(async () => {
  bus = await createTestBus();
  faulty = await startFaultyBus(servers.awsEndpointUrl);
});
afterAll(async () => {
  await faulty.close();
  await bus.drop();
});

const pointer = (aggregateId = new ObjectId().toHexString()): Pointer => ({
  eventId: new ObjectId().toHexString(),
  aggregateType: 'graph',
  aggregateId,
});
const pointers = (count: number) => Array.from({ length: count }, () => pointer());
interface Pack {
  readonly aggregateType: string;
  readonly events: readonly { readonly eventId: string; readonly aggregateId: string }[];
}
const packOf = (some: readonly Pointer[]): Pack => ({
  aggregateType: 'graph',
  events: some.map(({ eventId, aggregateId }) => ({ eventId, aggregateId })),
});
const firstId = ({ events }: Pack) => events[0]?.eventId ?? '';
const idsOf = (some: readonly { readonly eventId: string }[]) => some.map(({ eventId }) => eventId).sort();

const eventIdsIn = (body: string) => {
  const reading = readPointers(body);
  return reading.outcome === 'read' ? reading.eventIds : [reading.reason];
};
/** Sends pointers in one call. Returns the refused ones. */
const sendPointers = async (client: EventBridgeClient, some: readonly Pointer[], pointersPerEntry: number) =>
  (await sendPacks(client, bus.name, packPointers(some, pointersPerEntry))).flat();

const receiveIds = async (count: number) => (await bus.receive(count)).flatMap(eventIdsIn);

describe.each([
  ['the real bus', () => servers.awsEndpointUrl],
  ['the faulty bus without faults', () => faulty.url],
])('%s', (_, endpoint) => {
  let client: EventBridgeClient;
  beforeAll(() => {
    client = connectEventBus({ endpoint: endpoint(), requestMillis: patientMillis });
  });
  afterAll(() => client.destroy());

  it('accepts ten pointers in one call, and the rule sends each to the queue once, in its envelope', async () => {
    const ten = pointers(10);
    expect(await sendPointers(client, ten, 1)).toStrictEqual([]);
    const envelopes = (await bus.receive(10)).map((body) => JSON.parse(body));
    const got = envelopes.map(({ source, 'detail-type': type, detail }) => ({ source, type, detail }));
    const expected = ten.map((one) => ({ source: 'outgraph', type: 'graph', detail: packOf([one]) }));
    const byId = (one: { detail: Pack }, other: { detail: Pack }) =>
      firstId(one.detail) < firstId(other.detail) ? -1 : 1;
    expect(got.sort(byId)).toStrictEqual(expected.sort(byId));
  });

  it('accepts the longest aggregate id, with any characters', async () => {
    const strange = pointer('"\\{}<&>\u0000\u2028é漢🙂');
    const longest = pointer('🙂'.repeat(128));
    expect(await sendPointers(client, [strange, longest], 1)).toStrictEqual([]);
    const packs = (await bus.receive(2)).map((body) => JSON.parse(body).detail as Pack);
    expect(packs.flatMap(({ events }) => events.map(({ aggregateId }) => aggregateId)).sort()).toStrictEqual(
      [strange.aggregateId, longest.aggregateId].sort(),
    );
  });

  it('accepts 1,000 pointers in one call, in ten packs, and each pack becomes one message', async () => {
    const thousand = pointers(1_000);
    expect(await sendPointers(client, thousand, 100)).toStrictEqual([]);
    const packs = (await bus.receive(10)).map((body) => JSON.parse(body).detail as Pack);
    const byId = (one: Pack, other: Pack) => (firstId(one) < firstId(other) ? -1 : 1);
    expect(packs.sort(byId)).toStrictEqual(inChunks(thousand, 100).map(packOf).sort(byId));
  });

  it('accepts many concurrent calls', async () => {
    const calls = Array.from({ length: 10 }, () => pointers(10));
    const refused = await Promise.all(calls.map((some) => sendPointers(client, some, 1)));
    expect(refused.flat()).toStrictEqual([]);
    expect((await receiveIds(100)).sort()).toStrictEqual(idsOf(calls.flat()));
  });

  it('is unavailable to a client without access, and reveals no secret', async () => {
    const none = await startFaultyBus(endpoint());
    none.decide = () => ({ fault: 'error', status: 400, type: 'AccessDeniedException' });
    const outsider = connectEventBus({ endpoint: none.url });
    await expect(sendPointers(outsider, pointers(1), 1)).rejects.toMatchObject({
      code: 'bus-unavailable',
      message: 'EventBridge request failed: AccessDeniedException. It will be retried.',
    });
    outsider.destroy();
    await none.close();
  });
});

it('a bus at an unreachable address is unavailable', async () => {
  const client = connectEventBus({ endpoint: `http://127.0.0.1:${await freePort()}` });
  await expect(sendPointers(client, pointers(1), 1)).rejects.toMatchObject({ code: 'bus-unavailable' });
  client.destroy();
});

describe('the faulty bus', () => {
  let client: EventBridgeClient;
  let calls = 0;
  beforeEach(() => {
    client = connectEventBus({ endpoint: faulty.url, requestMillis: patientMillis });
    calls = 0;
  });
  afterEach(() => {
    faulty.decide = null;
    faulty.onPutEvents = null;
    client.destroy();
  });
  const fail = (fault: BusFault, times = Number.POSITIVE_INFINITY) => {
    faulty.decide = () => {
      calls += 1;
      return calls <= times ? fault : null;
    };
  };

  it.each([
    ['some', [0, 3, 9]],
    ['all', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  ])('refuses %s entries of a call, and accepts the others', async (_, indexes) => {
    const ten = pointers(10);
    fail({ fault: 'refuse', indexes });
    expect(await sendPointers(client, ten, 1)).toStrictEqual(indexes.map((index) => ten[index]));
    const others = ten.filter((_, index) => !indexes.includes(index));
    expect((await receiveIds(others.length)).sort()).toStrictEqual(idsOf(others));
  });

  it('that refuses an entry refuses its whole pack, and no other', async () => {
    const forty = pointers(40);
    fail({ fault: 'refuse', indexes: [1, 3] });
    const refused = [...forty.slice(10, 20), ...forty.slice(30, 40)];
    expect(await sendPointers(client, forty, 10)).toStrictEqual(refused);
    const accepted = [...forty.slice(0, 10), ...forty.slice(20, 30)];
    expect((await bus.receive(2)).flatMap(eventIdsIn).sort()).toStrictEqual(idsOf(accepted));
  });

  it('refuses an entry that it answers with an error, even with an id', async () => {
    const two = pointers(2);
    fail({ fault: 'refuse', indexes: [1], answeredEventId: 'some-id' });
    expect(await sendPointers(client, two, 1)).toStrictEqual([two[1]]);
    await bus.receive(1);
  });

  it('refuses entries that are missing in its response', async () => {
    const ten = pointers(10);
    fail({ fault: 'short-answer', missing: 4 });
    expect(await sendPointers(client, ten, 1)).toStrictEqual(ten.slice(6));
    expect((await receiveIds(10)).sort()).toStrictEqual(idsOf(ten));
  });

  it.each<[string, BusFault]>([
    ['that cannot be reached', { fault: 'unreachable' }],
    ['that fails', { fault: 'error', status: 500, type: 'InternalException' }],
    ['that throttles', { fault: 'error', status: 400, type: 'ThrottlingException' }],
  ])('%s once gets a retry and accepts everything; one that keeps failing is unavailable', async (_, fault) => {
    const some = pointers(3);
    fail(fault, 1);
    expect(await sendPointers(client, some, 1)).toStrictEqual([]);
    expect(calls).toBe(2);
    expect((await receiveIds(3)).sort()).toStrictEqual(idsOf(some));
    fail(fault);
    await expect(sendPointers(client, some, 1)).rejects.toMatchObject({ code: 'bus-unavailable' });
    expect(calls).toBe(4);
  });

  it.each<[string, BusFault]>([
    ['at all', { fault: 'hang' }],
    ['to the end', { fault: 'hang', begun: true }],
  ])('that does not answer %s is unavailable after its time limit', async (_, fault) => {
    const impatient = connectEventBus({ endpoint: faulty.url, requestMillis: 200 });
    fail(fault);
    const start = performance.now();
    await expect(sendPointers(impatient, pointers(1), 1)).rejects.toMatchObject({ code: 'bus-unavailable' });
    expect(performance.now() - start).toBeLessThan(3_000);
    expect(calls).toBeLessThanOrEqual(2);
    impatient.destroy();
  });

  it('that loses its responses has accepted the entries, and records them', async () => {
    const some = pointers(2);
    fail({ fault: 'answer-lost' });
    await expect(sendPointers(client, some, 1)).rejects.toMatchObject({ code: 'bus-unavailable' });
    // The client has sent two requests.
    expect((await receiveIds(4)).sort()).toStrictEqual(idsOf([...some, ...some]));
    expect(faulty.taken.filter(({ eventIds }) => eventIds.includes(some[0]?.eventId ?? ''))).toHaveLength(2);
  });

  it('lets a test delay a call before it is forwarded and before it is answered', async () => {
    const some = pointers(2);
    const order: string[] = [];
    const isTaken = () => faulty.taken.some(({ eventIds }) => eventIds.includes(some[0]?.eventId ?? ''));
    faulty.onPutEvents = async (entries, phase) => {
      expect(entries.flatMap(({ eventIds }) => eventIds).sort()).toStrictEqual(idsOf(some));
      order.push(`${phase}, ${isTaken() ? 'taken' : 'not taken'}`);
    };
    await sendPointers(client, some, 1);
    order.push('answered');
    expect(order).toStrictEqual(['before, not taken', 'after, taken', 'answered']);
    await bus.receive(2);
  });
});
