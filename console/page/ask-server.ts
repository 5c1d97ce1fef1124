/** Sends requests to the console's server. The token is the first part of the page's address. */
import type { Failure } from '../messages.ts';

/** The server's reason for refusing a request. */
export class Refused extends Error {}

/** @throws Refused with a readable reason. */
export function getJson<Answer>(path: string, query: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const search = new URLSearchParams(query).toString();
  return ask(search === '' ? path : `${path}?${search}`, {});
}

/** @throws Refused with a readable reason. */
export function postJson<Answer>(path: string, body: unknown): Promise<Answer> {
  const token = location.pathname.split('/')[1] ?? '';
  const headers = { 'content-type': 'application/json', 'x-outgraph-token': token };
  return ask(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function ask<Answer>(path: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(path, { ...init, cache: 'no-store' }).catch(() => {
    throw new Refused(
      'The console does not answer. Start "outgraph console" again, and open the address that it prints.',
    );
  });
  if (response.ok) return (await response.json()) as Answer;
  const text = await response.text();
  throw new Refused(reasonIn(text));
}

function reasonIn(text: string): string {
  try {
    const { code, reason } = JSON.parse(text) as Failure;
    return (code as string) === 'refused' ? reason : explain({ code, reason });
  } catch {
    return text.trim();
  }
}

/** Explains a fault of the servers, with advice. */
export function explain({ code, reason }: Failure): string {
  if (code === 'unexpected') return `Unexpected error: ${reason}. The console retries every few seconds.`;
  const advice: Partial<Record<Failure['code'], string>> = {
    'mongodb-unavailable': 'Is MongoDB running, and does MONGODB_URI name it? The console retries every few seconds.',
    'time-up': 'Are MongoDB and the queue running and reachable? The console keeps waiting.',
    'neo4j-unavailable': 'Is Neo4j running, and does NEO4J_URI name it? The console retries every few seconds.',
    'queue-unavailable': 'Do QUEUE_URL and DEAD_LETTER_QUEUE_URL name the queues, and may these credentials read them?',
    'credentials-refused': 'Check the user and password in the settings of the console.',
    'permission-denied': 'The page needs the rights in docs/reference/cli.md, "console".',
    'set-up-missing': 'Run "outgraph set-up" first.',
  };
  return [reason, advice[code]].filter((part) => part !== undefined).join(' ');
}
