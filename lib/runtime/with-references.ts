/**
 * What is wired from settings that may be references: read when they are needed, wired anew when one has changed, so
 * that a secret rotates without a deployment.
 */
import type { z } from 'zod';
import { Fault } from '../contract/fault.ts';
import { isReference, parseReference, type Reference } from './reference.ts';
import type { ReadOptions } from './secrets.ts';
import { type Environment, readSettings } from './settings.ts';

/** Settings that may hold references. */
export interface Referring {
  readonly SECRETS_MAX_AGE_SECONDS: number;
}

/** Something that holds connections. */
export interface Closable {
  close(): Promise<void>;
}

/** What to wire, and from what. */
export interface WiringSource<Settings, Wired> {
  readonly schema: z.ZodType<Settings> & z.ZodObject;
  readonly environment: Environment;
  readonly wire: (settings: Settings) => Wired;
  readonly read: (reference: Reference, options: ReadOptions) => Promise<string>;
  /** Told when references could not be read, and what was read before is used on. */
  readonly stale: (error: unknown) => void;
}

/**
 * One process's wiring.
 *
 * @example
 * const wired = WithReferences.fromEnvironment({ schema: sweepSettings, environment: process.env, wire: wireSweep,
 * read, stale });
 * await wired.use((sweeper) => sweeper.sweep(remainingMillis));
 */
export class WithReferences<Wired extends Closable> {
  readonly #readValues: (fresh: boolean) => Promise<Environment>;
  readonly #wire: (values: Environment) => Wired;
  readonly #stale: (error: unknown) => void;
  #current: { readonly values: Environment; readonly wired: Wired } | null = null;
  #fresh = false;

  private constructor(
    readValues: (fresh: boolean) => Promise<Environment>,
    wire: (values: Environment) => Wired,
    stale: (error: unknown) => void,
  ) {
    this.#readValues = readValues;
    this.#wire = wire;
    this.#stale = stale;
  }

  /**
   * @throws Error that names all that is wrong with the settings as far as they stand in the environment: at cold
   * start.
   */
  static fromEnvironment<Settings extends Referring, Wired extends Closable>(
    source: WiringSource<Settings, Wired>,
  ): WithReferences<Wired> {
    const { schema, environment, wire, read, stale } = source;
    const maxAgeSeconds = readSettings(schema, environment).SECRETS_MAX_AGE_SECONDS;
    const readValues = (fresh: boolean) =>
      readReferred(schema, environment, (reference) => read(reference, { maxAgeSeconds, fresh }));
    return new WithReferences(readValues, (values) => wire(readSettings(schema, values)), stale);
  }

  /**
   * Does a piece of work with what is wired. A server that refuses the credentials makes the next use read them anew.
   *
   * @throws Fault `secret-unavailable` if nothing could be read yet; whatever the work throws.
   */
  async use<Result>(work: (wired: Wired) => Promise<Result>): Promise<Result> {
    try {
      return await work(await this.#wired());
    } catch (error) {
      if (error instanceof Fault && error.code === 'credentials-refused') this.#fresh = true;
      throw error;
    }
  }

  async #wired(): Promise<Wired> {
    const before = this.#current;
    const values = await this.#valuesNow();
    if (before !== null && sameValues(before.values, values)) return before.wired;
    const wired = this.#wire(values);
    // Nobody works with the old one any more: an environment has one invocation at a time.
    before?.wired.close().catch(() => undefined);
    this.#current = { values, wired };
    return wired;
  }

  async #valuesNow(): Promise<Environment> {
    try {
      const values = await this.#readValues(this.#fresh);
      this.#fresh = false;
      return values;
    } catch (error) {
      if (this.#current === null) throw error;
      this.#stale(error);
      return this.#current.values;
    }
  }
}

/**
 * The values of a part's settings, with what they refer to in the place of references.
 *
 * @throws Fault `secret-unavailable`.
 */
export async function readReferred(
  schema: z.ZodObject,
  environment: Environment,
  read: (reference: Reference) => Promise<string>,
): Promise<Environment> {
  const readOne = async (name: string) => {
    const value = environment[name];
    const reference = value === undefined || !isReference(value) ? null : parseReference(value);
    return [name, reference === null ? value : await read(reference)] as const;
  };
  return Object.fromEntries(await Promise.all(Object.keys(schema.shape).map(readOne)));
}

function sameValues(before: Environment, now: Environment): boolean {
  return Object.entries(now).every(([name, value]) => before[name] === value);
}
