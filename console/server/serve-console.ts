/**
 * The console's server: one page, for one person, on this machine only. It accepts no request
 * without the token. The page loads nothing from other sites. The server ends with the command.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import type { HelloMessage, StatusMessage } from '../messages.ts';
import { toAggregateMessage } from './aggregate-message.ts';
import { answerError, answerJson, answerText, commonHeaders, HttpError, readJson } from './answer.ts';
import { type Asset, readAssets, renderPage } from './assets.ts';
import type { ConsolePorts } from './console-ports.ts';
import { admit } from './guard.ts';
import { History } from './history.ts';
import { Redrives } from './redrives.ts';

export interface RunningConsole {
  /** Contains the token, which gives access to the console. */
  readonly url: string;
  /**
   * Closes the server and its connections, after a running redrive. The ports' signal interrupts
   * the redrive.
   */
  readonly close: () => Promise<void>;
}

export interface ConsoleOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly everySeconds: number;
}

const texts = z.array(z.string().min(1).max(64)).max(100);
const selection = z
  .object({ codes: texts, aggregateTypes: texts, eventIds: z.array(z.string().regex(/^[0-9a-f]{24}$/)).max(1_000) })
  // An empty selection would mean all dead events. The page never sends one.
  .refine(
    ({ codes, aggregateTypes, eventIds }) => codes.length + aggregateTypes.length + eventIds.length > 0,
    'choose events by code, type or id',
  );
const plannedRedrive = z.object({ selection, plan: z.object({ events: z.int().positive(), until: z.coerce.date() }) });

/** @throws the system's error if the port is in use. */
export async function serveConsole(ports: ConsolePorts, options: ConsoleOptions): Promise<RunningConsole> {
  const token = randomBytes(32).toString('base64url');
  const history = new History({ readStatus: ports.readStatus, now: Date.now });
  const listeners = new Set<ServerResponse>();
  const redrives = new Redrives(ports.redrive, (message) => {
    for (const listener of listeners) send(listener, 'redrive', message);
  });
  const site: Site = { ports, history, redrives, assets: readAssets(), listeners };
  const server = createServer((request, response) => {
    const admission = admit(request, token, server.address() as AddressInfo);
    if ('reason' in admission) return answerText(response, admission.status, admission.reason);
    void respond(site, `${request.method} ${admission.path}`, admission.query, request, response).catch((error) => {
      if (response.headersSent) response.destroy();
      else answerError(response, error);
    });
  });
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  void history.tick();
  const timer = setInterval(() => void history.tick(), options.everySeconds * 1_000);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${token}/`,
    close: async () => {
      clearInterval(timer);
      await redrives.ended();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Site {
  readonly ports: ConsolePorts;
  readonly history: History;
  readonly redrives: Redrives;
  readonly assets: ReadonlyMap<string, Asset>;
  readonly listeners: Set<ServerResponse>;
}

async function respond(
  site: Site,
  what: string,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { ports, redrives, assets } = site;
  const asset = assets.get(what.replace(/^GET /, ''));
  if (asset !== undefined) {
    response.writeHead(200, { ...commonHeaders, 'content-type': asset.contentType });
    response.end(asset.body);
    return;
  }
  switch (what) {
    case 'GET ':
      return answerPage(response);
    case 'GET events':
      return streamEvents(site, response);
    case 'GET dead':
      return answerJson(response, await ports.listDead());
    case 'GET aggregate':
      return answerAggregate(ports, query, response);
    case 'POST redrive/plan':
      return answerJson(response, await ports.planRedrive(await readJson(request, selection)));
    case 'POST redrive':
      return startRedrive(redrives, request, response);
    default:
      throw new HttpError(404, `There is no "${what}" here.`);
  }
}

function answerPage(response: ServerResponse): void {
  const { html, policy } = renderPage();
  const contentType = 'text/html; charset=utf-8';
  response.writeHead(200, { ...commonHeaders, 'content-type': contentType, 'content-security-policy': policy });
  response.end(html);
}

/** Streams server-sent events: the history, then each change while the page is open. */
function streamEvents({ ports, history, redrives, listeners }: Site, response: ServerResponse): void {
  response.writeHead(200, { ...commonHeaders, 'content-type': 'text/event-stream; charset=utf-8' });
  const { stage, aggregateTypes } = ports;
  send(response, 'hello', {
    stage,
    aggregateTypes,
    history: history.samples,
    redrive: redrives.last,
  } satisfies HelloMessage);
  const sendStatus = (message: StatusMessage) => send(response, 'status', message);
  if (history.last !== null) sendStatus(history.last);
  const stopListening = history.listen(sendStatus);
  listeners.add(response);
  response.on('close', () => {
    stopListening();
    listeners.delete(response);
  });
}

function send(response: ServerResponse, event: string, data: unknown): void {
  response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

async function answerAggregate(ports: ConsolePorts, query: URLSearchParams, response: ServerResponse): Promise<void> {
  const [type, id] = [query.get('type') ?? '', query.get('id') ?? ''];
  if (type === '' || id === '') throw new HttpError(400, 'Choose an aggregate by its type and id.');
  const answer = await ports.viewAggregate(type, id);
  if (answer.outcome !== 'viewed') throw new HttpError(404, whyUnseen(answer.outcome, type, ports.aggregateTypes));
  answerJson(response, toAggregateMessage(answer.view));
}

function whyUnseen(
  outcome: 'type-unknown' | 'unknown' | 'interrupted',
  type: string,
  known: readonly string[],
): string {
  if (outcome === 'interrupted') return 'The console is ending.';
  if (outcome === 'unknown')
    return (
      'There is no such document, no event of it, and nothing in the graph. ' +
      'Use the id that the outbox has as aggregateId.'
    );
  return (
    `No aggregate type "${type}" is declared; choose from ${known.join(', ')}. ` +
    'Pass the catalog of your service with --catalog.'
  );
}

async function startRedrive(redrives: Redrives, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { selection, plan } = await readJson(request, plannedRedrive);
  answerJson(response, redrives.start(selection, plan), 202);
}
