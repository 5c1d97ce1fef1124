/** The worker's log lines on a terminal. */
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { painter } from '../../../cli/terminal/colour.ts';
import { logLine, terminalLogger } from '../../../cli/worker/terminal-logger.ts';
import { Fault } from '../../../lib/contract/fault.ts';
import { workerLog } from '../../../lib/worker/log.ts';

const plain = painter(false);

function printed(environment: Readonly<Record<string, string>> = {}) {
  const stdout = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: true });
  const logger = terminalLogger({ environment, stdout });
  return { logger, text: (): string => stdout.read() ?? '' };
}

it('a line has the time, the level, what happened, why, and the rest', () => {
  const { logger, text } = printed();
  const fault = new Fault('neo4j-unavailable', 'Neo4j at graph:7687 cannot be reached: nothing listens there.');
  workerLog(logger).failed('consumer', fault, 200);
  const line = stripVTControlCharacters(text());
  expect(line).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3}Z error a part of the worker failed .*: Neo4j at graph:7687 cannot be reached/,
  );
  expect(line).toMatch(/there\. part=consumer retryMillis=200 code=neo4j-unavailable\n$/);
});

it('the lines have colours, and none with NO_COLOR', () => {
  for (const [environment, hasColour] of [
    [{}, true],
    [{ NO_COLOR: '1' }, false],
  ] as const) {
    const { logger, text } = printed(environment);
    logger.warn('event failed', { eventId: '6' });
    const line = text();
    expect(line !== stripVTControlCharacters(line)).toBe(hasColour);
    expect(stripVTControlCharacters(line)).toMatch(/Z warn {2}event failed eventId=6\n$/);
  }
});

it('the levels are those of Powertools', () => {
  const { logger, text } = printed();
  logger.debug('not printed');
  logger.setLogLevel('DEBUG');
  logger.debug('printed');
  expect(stripVTControlCharacters(text())).toMatch(/^\S+ debug printed\n$/);
});

it('an id cannot break out of its line, nor control the terminal', () => {
  const entry = { timestamp: '2026-12-03T07:14:27.123Z', level: 'ERROR', message: 'event dead' };
  const line = logLine({ ...entry, aggregateId: 'a\n\u001b[2J b\u0085', reason: 'x\u202ey' }, plain);
  expect(line).toBe('07:14:27.123Z error event dead: x\\u202ey aggregateId="a\\n\\u001b[2J b\\u0085"');
});

it('a value that is not a text is printed as JSON', () => {
  const entry = { timestamp: '2026-12-03T07:14:27.123Z', level: 'INFO', message: 'worker stopped' };
  expect(logLine({ ...entry, applied: 12, failing: {}, publisher: null, service: 'outgraph-worker' }, plain)).toBe(
    '07:14:27.123Z info  worker stopped applied=12 failing={} publisher=null',
  );
});
