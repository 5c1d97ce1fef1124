import { describe, expect, it } from 'vitest';
import { readTraceparent } from '../../../lib/contract/traceparent.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const ids = `${traceId}-${spanId}`;

describe('a traceparent', () => {
  it.each([
    ['01', true],
    ['00', false],
    ['03', true],
    ['02', false],
  ])('with the flags %s is sampled: %s', (flags, sampled) => {
    expect(readTraceparent(`00-${ids}-${flags}`)).toStrictEqual({ traceId, spanId, sampled });
  });

  it('of a later version can have more fields', () => {
    expect(readTraceparent(`cc-${ids}-01`)).not.toBeNull();
    expect(readTraceparent(`cc-${ids}-01-what-comes-then`)).toStrictEqual({ traceId, spanId, sampled: true });
  });

  it.each([
    ['is absent', undefined],
    ['is empty', ''],
    ['is in capitals', `00-${ids.toUpperCase()}-01`],
    ['has more fields than its version allows', `00-${ids}-01-what`],
    ['continues without a hyphen', `cc-${ids}-01what`],
    ['has the forbidden version', `ff-${ids}-01`],
    ['has a trace id of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['has a span id of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['has a trace id that is too short', `00-${traceId.slice(1)}-${spanId}-01`],
    ['is followed by a line break', `00-${ids}-01\n`],
    ['lacks its flags', `00-${ids}`],
  ])('that %s is invalid', (_, text) => {
    expect(readTraceparent(text)).toBeNull();
  });
});
