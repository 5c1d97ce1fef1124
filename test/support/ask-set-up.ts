/** Asks the global set-up for something, from a test. */
import { inject } from 'vitest';
import type {} from './global-setup/servers.ts';

/** @throws Error with the reason, where it cannot be done. */
export async function askSetUp<Answer>(what: string, body: unknown = null): Promise<Answer> {
  const url = inject('requestsUrl');
  if (url === undefined) throw new Error(startsNoServers);
  const response = await fetch(`${url}/${what}`, { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${what}: ${await response.text()}`);
  return (await response.json()) as Answer;
}

/** What is wrong where a test needs servers that its project does not start. */
export const startsNoServers =
  'This project starts no servers: add test/support/global-setup/servers.ts to it in vitest.config.ts.';
