/** Sends a test's request to the global set-up. */
import { inject } from 'vitest';
import type {} from './global-setup/servers.ts';

/** @throws Error with the reason if it fails. */
export async function askSetUp<Answer>(what: string, body: unknown = null): Promise<Answer> {
  const url = inject('requestsUrl');
  if (url === undefined) throw new Error(startsNoServers);
  const response = await fetch(`${url}/${what}`, { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${what}: ${await response.text()}`);
  return (await response.json()) as Answer;
}

/** The error if a test needs servers and its project does not start them. */
export const startsNoServers =
  'This project starts no servers: add test/support/global-setup/servers.ts to it in vitest.config.ts.';
