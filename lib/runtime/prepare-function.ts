/** What every function does at its cold start: its log, its metrics, its settings, and what is wired from them. */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { z } from 'zod';
import { describeError } from '../contract/fault.ts';
import { createReferenceReader } from './secrets.ts';
import { type Closable, type Referring, WithReferences } from './with-references.ts';

/** A function's own. */
export interface PreparedFunction<Wired extends Closable> {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly wired: WithReferences<Wired>;
}

/**
 * Reads the settings from the environment.
 *
 * @throws Error that names all that is wrong with them.
 */
export function prepareFunction<Settings extends Referring, Wired extends Closable>(
  schema: z.ZodType<Settings> & z.ZodObject,
  wire: (settings: Settings) => Wired,
): PreparedFunction<Wired> {
  const logger = new Logger();
  const wired = WithReferences.fromEnvironment({
    schema,
    environment: process.env,
    wire,
    read: createReferenceReader(),
    stale: (error) => logger.warn('secrets not read again', describeError(error)),
  });
  return { logger, metrics: new Metrics(), wired };
}
