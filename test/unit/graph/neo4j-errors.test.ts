import { Neo4jError } from 'neo4j-driver';
import { describe, expect, it } from 'vitest';
import { isDataFault } from '../../../lib/contract/fault.ts';
import { translateNeo4jError } from '../../../lib/graph/neo4j-errors.ts';

const security = (name: string, message = 's3cret') =>
  new Neo4jError(message, `Neo.ClientError.Security.${name}`, '50N42', 'general error');

describe("Neo4j's refusals", () => {
  it.each([
    ['a wrong password', 'Unauthorized', 'NEO4J_PASSWORD'],
    ['too many wrong passwords', 'AuthenticationRateLimit', 'in a few seconds'],
    ['a password that must be changed', 'CredentialsExpired', 'must be changed'],
    ['an expired token', 'TokenExpired', 'expired'],
  ])('%s is credentials-refused, and retried', (_, name, words) => {
    // In another error, this text means a data fault.
    const fault = translateNeo4jError(security(name, 's3cret: key is too large'));
    expect(fault).toMatchObject({ code: 'credentials-refused', retryable: true });
    expect(fault.message.includes(words)).toBe(true);
    expect(isDataFault(fault)).toBe(false);
    expect(fault.message).not.toContain('s3cret');
  });

  it.each([
    [
      "Set property for property 'email' on database 'neo4j' is not allowed for user 'me'",
      "property 'email' on database 'neo4j')",
    ],
    ["Creating new node label is not allowed for user 'me' with roles [PUBLIC].", '(Creating new node label)'],
    ['Denied, whatever: {s3cret}', 'its part needs. Grant'],
  ])('a denied action is permission-denied, with its name, and retried: %s', (message, named) => {
    const fault = translateNeo4jError(security('Forbidden', message));
    expect(fault).toMatchObject({ code: 'permission-denied', retryable: true });
    expect(fault.message.includes(named)).toBe(true);
    expect(isDataFault(fault)).toBe(false);
    expect(fault.message).not.toMatch(/s3cret|'me'/);
  });

  it('another security code is neo4j-unavailable', () => {
    expect(translateNeo4jError(security('AuthProviderTimeout'))).toMatchObject({ code: 'neo4j-unavailable' });
  });
});
