/** The cold start of every function: its logger, metrics, settings and wired flow. */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { z } from 'zod';
import { describeError } from '../contract/fault.ts';
import { createReferenceReader } from './secrets.ts';
import { type Closable, type ReferenceSettings, WithReferences } from './with-references.ts';

/** The logger, metrics and flow of a function. */
export interface PreparedFunction<Wired extends Closable> {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly wired: WithReferences<Wired>;
}

/**
 * Reads the settings from the environment.
 *
 * @throws Error that names every missing or wrong setting.
 */
export function prepareFunction<Settings extends ReferenceSettings, Wired extends Closable>(
  schema: z.ZodType<Settings> & z.ZodObject,
  wire: (settings: Settings) => Wired,
): PreparedFunction<Wired> {
  const logger = new Logger();
  const wired = WithReferences.fromEnvironment({
    schema,
    environment: process.env,
    wire,
    read: createReferenceReader(),
    onStale: (error) => logger.warn('secrets not read again', describeError(error)),
  });
  return { logger, metrics: new Metrics(), wired };
}
