/**
 * A bus with controlled faults: it forwards every call to a real bus, and can refuse entries, lose
 * a response, hang, or be unreachable. Without faults it behaves like the real bus; both pass the
 * same suite (`test/integration/publisher`).
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { readPointers } from '../../lib/contract/pointer.ts';

/** An entry of a PutEvents call, with the ids of the events in its detail. */
export interface BusEntry {
  readonly eventIds: readonly string[];
  readonly detail: string;
}

/** An entry that the real bus accepted. */
export interface TakenEntry extends BusEntry {
  /** The time at which the real bus answered, in milliseconds since the epoch. */
  readonly takenAt: number;
}

/** A fault of one call. Only the first two and `answer-lost` reach the real bus. */
export type BusFault =
  /** Entries with these indexes get an error; with `answeredEventId`, the error also has an id. */
  | { readonly fault: 'refuse'; readonly indexes: readonly number[]; readonly answeredEventId?: string }
  /** The response lacks the last `missing` entries. */
  | { readonly fault: 'short-answer'; readonly missing: number }
  /** The real bus accepts the entries, but the connection ends before the response. */
  | { readonly fault: 'answer-lost' }
  /** The connection ends at once. */
  | { readonly fault: 'unreachable' }
  /** There is no response; with `begun`, it begins and never ends. */
  | { readonly fault: 'hang'; readonly begun?: true }
  /** 500 `InternalException`, or 400 `ThrottlingException`. */
  | { readonly fault: 'error'; readonly status: number; readonly type: string };

export interface FaultyBus {
  /** The endpoint for a client. */
  readonly url: string;
  /**
   * Decides the fault of each PutEvents call. Calls are counted from 1 and include a client's
   * retries. Null means no fault.
   */
  decide: ((entries: readonly BusEntry[], call: number) => BusFault | null) | null;
  /**
   * Awaited before a call is forwarded, and after the real bus has answered but before its response
   * is forwarded.
   */
  onPutEvents: ((entries: readonly BusEntry[], phase: 'before' | 'after') => Promise<void>) | null;
  /** All entries that the real bus accepted, in the order of its responses. */
  readonly taken: readonly TakenEntry[];
  readonly close: () => Promise<void>;
}

interface PutEventsAnswer {
  FailedEntryCount: number;
  Entries: { EventId?: string; ErrorCode?: string; ErrorMessage?: string }[];
}

/** Starts a faulty bus on a loopback port, in front of the real one at `targetUrl`. */
export async function startFaultyBus(targetUrl: string): Promise<FaultyBus> {
  const taken: TakenEntry[] = [];
  let calls = 0;

  const putEvents = async (request: IncomingMessage, body: Buffer, response: ServerResponse) => {
    const { Entries: given } = JSON.parse(body.toString()) as { Entries: { Detail: string }[] };
    const entries = given.map(({ Detail }) => ({ eventIds: eventIdsOf(Detail), detail: Detail }));
    calls += 1;
    const fault = bus.decide?.(entries, calls) ?? null;
    if (fault?.fault === 'unreachable') return void request.socket.destroy();
    if (fault?.fault === 'hang') return void (fault.begun && response.writeHead(200, jsonType).write('{'));
    if (fault?.fault === 'error') return answer(response, fault.status, { __type: fault.type, message: fault.type });

    const refused = new Set(fault?.fault === 'refuse' ? fault.indexes : []);
    const passed = entries.filter((_, index) => !refused.has(index));
    await bus.onPutEvents?.(passed, 'before');
    const forwarded = JSON.stringify({ Entries: given.filter((_, index) => !refused.has(index)) });
    const real = passed.length === 0 ? noEntries : await forward(targetUrl, request, Buffer.from(forwarded));
    const realAnswer = JSON.parse(real.body.toString()) as PutEventsAnswer;
    if (real.status !== 200) return answer(response, real.status, realAnswer);
    const takenAt = Date.now();
    taken.push(
      ...passed
        .filter((_, index) => realAnswer.Entries[index]?.EventId !== undefined)
        .map((entry) => ({ ...entry, takenAt })),
    );
    await bus.onPutEvents?.(passed, 'after');
    if (fault?.fault === 'answer-lost') return void request.socket.destroy();
    answer(response, 200, merge(entries.length, realAnswer, fault));
  };

  const server = createServer(async (request, response) => {
    try {
      const body = await buffer(request);
      if (request.headers['x-amz-target'] === 'AWSEvents.PutEvents') return await putEvents(request, body, response);
      const real = await forward(targetUrl, request, body);
      response.writeHead(real.status, jsonType).end(real.body);
    } catch {
      // Either the client is gone or the real bus is. To the client, the bus is unreachable.
      request.socket.destroy();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bus: FaultyBus = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    decide: null,
    onPutEvents: null,
    taken,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return bus;
}

function eventIdsOf(detail: string): readonly string[] {
  const reading = readPointers(detail);
  if (reading.outcome === 'unreadable') throw new Error(`The publisher sent what the consumer cannot read: ${detail}`);
  return reading.eventIds;
}

const jsonType = { 'content-type': 'application/x-amz-json-1.1' };
const noEntries = { status: 200, body: Buffer.from('{"FailedEntryCount":0,"Entries":[]}') };

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, jsonType).end(JSON.stringify(body));
}

/** The real bus's results for the forwarded entries, and errors for the others. */
function merge(entries: number, real: PutEventsAnswer, fault: BusFault | null): PutEventsAnswer {
  const answers = [...real.Entries];
  const refused = new Set(fault?.fault === 'refuse' ? fault.indexes : []);
  const id = fault?.fault === 'refuse' && fault.answeredEventId ? { EventId: fault.answeredEventId } : {};
  const error = { ...id, ErrorCode: 'InternalFailure', ErrorMessage: 'refused by the test' };
  const all = Array.from({ length: entries }, (_, index) => (refused.has(index) ? error : answers.shift()));
  const missing = fault?.fault === 'short-answer' ? fault.missing : 0;
  return {
    FailedEntryCount: real.FailedEntryCount + refused.size,
    Entries: all.filter((one) => one !== undefined).slice(0, entries - missing),
  };
}

const ownHeaders: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-length',
  'expect',
  'transfer-encoding',
]);

async function forward(targetUrl: string, { url, method, headers }: IncomingMessage, body: Buffer) {
  const given = Object.entries(headers).filter(([name]) => !ownHeaders.has(name));
  const response = await fetch(new URL(url ?? '/', targetUrl), {
    method: method ?? 'POST',
    headers: given.map(([name, value]): [string, string] => [name, String(value)]),
    ...(body.length === 0 ? {} : { body }),
  });
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
}
