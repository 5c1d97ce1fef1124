/** Asks the console's server. Its token is the first part of the page's own address. */
import type { Failure } from '../messages.ts';

/** What the server said instead of an answer, in its own words. */
export class Refused extends Error {}

/** @throws Refused with words for people. */
export function getJson<Answer>(path: string, query: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const search = new URLSearchParams(query).toString();
  return ask(search === '' ? path : `${path}?${search}`, {});
}

/** @throws Refused with words for people. */
export function postJson<Answer>(path: string, body: unknown): Promise<Answer> {
  const token = location.pathname.split('/')[1] ?? '';
  const headers = { 'content-type': 'application/json', 'x-outgraph-token': token };
  return ask(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function ask<Answer>(path: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(path, { ...init, cache: 'no-store' }).catch(() => {
    throw new Refused(
      'The console does not answer: start "outgraph console" again, and open the address that it prints.',
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

/** What a person can do about a fault of the servers. */
export function explain({ code, reason }: Failure): string {
  if (code === 'unexpected') return `Something unexpected went wrong (${reason}). It is tried again every few seconds.`;
  const advice: Partial<Record<Failure['code'], string>> = {
    'mongodb-unavailable': 'Is MongoDB up, and does MONGODB_URI name it? It is asked again every few seconds.',
    'time-up': 'Are MongoDB and the queue up, and reached from here? They are waited for.',
    'neo4j-unavailable': 'Is Neo4j up, and does NEO4J_URI name it? It is asked again every few seconds.',
    'queue-unavailable': 'Do QUEUE_URL and DEAD_LETTER_QUEUE_URL name the queues, and may these credentials read them?',
    'credentials-refused': 'Check the user and the password that the console was started with.',
    'permission-denied': 'The page needs the rights that docs/reference/cli.md names under "console".',
    'set-up-missing': 'Run "outgraph set-up" first.',
  };
  return [reason, advice[code]].filter((part) => part !== undefined).join(' ');
}
