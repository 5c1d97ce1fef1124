/**
 * Wires a flow from settings that may be references. It reads references when needed, and rewires
 * the flow if one has changed, so that you can rotate a secret without a deployment.
 */
import type { z } from 'zod';
import { Fault } from '../contract/fault.ts';
import { isReference, parseReference, type Reference } from './reference.ts';
import type { ReadOptions } from './secrets.ts';
import { type Environment, readSettings } from './settings.ts';

/** Settings that may hold references. */
export interface ReferenceSettings {
  readonly SECRETS_MAX_AGE_SECONDS: number;
}

/** An object with connections to close. */
export interface Closable {
  close(): Promise<void>;
}

/** The settings, and the function that wires a flow from them. */
export interface WiringSource<Settings, Wired> {
  readonly schema: z.ZodType<Settings> & z.ZodObject;
  readonly environment: Environment;
  readonly wire: (settings: Settings) => Wired;
  readonly read: (reference: Reference, options: ReadOptions) => Promise<string>;
  /** Called if references could not be read and the previous values are used instead. */
  readonly onStale: (error: unknown) => void;
}

/**
 * The wired flow of one process.
 *
 * @example
 * const environment = process.env;
 * const source = { schema: sweepSettings, environment, wire: wireSweep, read, onStale };
 * const wired = WithReferences.fromEnvironment(source);
 * await wired.use((sweeper) => sweeper.sweep(remainingMillis));
 */
export class WithReferences<Wired extends Closable> {
  readonly #readValues: (fresh: boolean) => Promise<Environment>;
  readonly #wire: (values: Environment) => Wired;
  readonly #onStale: (error: unknown) => void;
  #current: { readonly values: Environment; readonly wired: Wired } | null = null;
  #fresh = false;

  private constructor(
    readValues: (fresh: boolean) => Promise<Environment>,
    wire: (values: Environment) => Wired,
    onStale: (error: unknown) => void,
  ) {
    this.#readValues = readValues;
    this.#wire = wire;
    this.#onStale = onStale;
  }

  /**
   * @throws Error at cold start that names every missing or wrong setting; skips referenced values.
   */
  static fromEnvironment<Settings extends ReferenceSettings, Wired extends Closable>(
    source: WiringSource<Settings, Wired>,
  ): WithReferences<Wired> {
    const { schema, environment, wire, read, onStale } = source;
    const maxAgeSeconds = readSettings(schema, environment).SECRETS_MAX_AGE_SECONDS;
    const readValues = (fresh: boolean) =>
      resolveReferences(schema, environment, (reference) => read(reference, { maxAgeSeconds, fresh }));
    return new WithReferences(readValues, (values) => wire(readSettings(schema, values)), onStale);
  }

  /**
   * Runs `work` with the wired flow. If a server refuses the credentials, the next use reads the
   * references again.
   *
   * @throws Fault `secret-unavailable` if the references were never read; any error of `work`.
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
    // The old flow is no longer in use: an execution environment has one invocation at a time.
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
      this.#onStale(error);
      return this.#current.values;
    }
  }
}

/**
 * Returns the values of a part's settings, with references replaced by the values they refer to.
 *
 * @throws Fault `secret-unavailable`.
 */
export async function resolveReferences(
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
