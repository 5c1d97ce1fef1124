/**
 * Controls the deployed functions from outside: finds, kills and pauses their processes by id,
 * changes their settings, and reads their logs.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  PutFunctionConcurrencyCommand,
  TooManyRequestsException,
  UpdateEventSourceMappingCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import pRetry from 'p-retry';
import { sdkCredentials } from '../../tools/local/credentials.ts';
import type { Deployment } from '../../tools/local/deploy.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';

export type FunctionName = keyof Deployment['functions'];

/**
 * The settings of a function that a test may change. The environment is added to the current one.
 */
export interface FunctionSettings {
  readonly timeoutSeconds?: number | undefined;
  readonly memoryMegabytes?: number | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

export class DeployedFunctions {
  readonly #names: Deployment['functions'];
  readonly #logsFolder: string;
  readonly #lambda: LambdaClient;

  constructor(endpointUrl: string, region: string, names: Deployment['functions'], logsFolder: string) {
    this.#names = names;
    this.#logsFolder = logsFolder;
    this.#lambda = new LambdaClient({
      endpoint: endpointUrl,
      region,
      credentials: sdkCredentials,
      // An invocation is not repeated.
      maxAttempts: 1,
      // LocalStack closes a connection after an idle minute, maybe just as a request is sent.
      requestHandler: { httpAgent: { keepAlive: false } },
    });
  }

  /** Process ids of a function's execution environments. */
  async pids(name: FunctionName): Promise<readonly number[]> {
    const folder = path.join(this.#logsFolder, 'environments', this.#names[name]);
    return (await readdir(folder).catch(() => [])).map(Number);
  }

  /** Kills every process of the function. Returns their number. */
  async kill(name: FunctionName): Promise<number> {
    return (await this.pids(name)).filter((pid) => signalProcess(pid, 'SIGKILL')).length;
  }

  /** Pauses the function's processes. Returns their ids. */
  async pause(name: FunctionName): Promise<readonly number[]> {
    const pids = await this.pids(name);
    return pids.filter((pid) => signalProcess(pid, 'SIGSTOP'));
  }

  /** Resumes paused processes. */
  resume(pids: readonly number[]): void {
    for (const pid of pids) signalProcess(pid, 'SIGCONT');
  }

  /** Starts the function without waiting for its result, as its schedule does. */
  async start(name: FunctionName): Promise<void> {
    await this.#lambda.send(new InvokeCommand({ FunctionName: this.#names[name], InvocationType: 'Event' }));
  }

  /** Runs the function to its end. Returns its result, and `error` if it failed. */
  async run(name: FunctionName): Promise<{ readonly error: boolean; readonly answer: unknown }> {
    const answer = await this.#lambda.send(new InvokeCommand({ FunctionName: this.#names[name] }));
    const text = Buffer.from(answer.Payload ?? []).toString();
    return { error: answer.FunctionError !== undefined, answer: text === '' ? null : JSON.parse(text) };
  }

  /**
   * Runs the function as soon as its concurrency allows: its schedule may have started it already.
   */
  async runWhenFree(name: FunctionName): Promise<{ readonly error: boolean; readonly answer: unknown }> {
    return pRetry(() => this.run(name), {
      retries: 120,
      factor: 1,
      minTimeout: 500,
      shouldRetry: ({ error }) => error instanceof TooManyRequestsException,
    });
  }

  /** Changes settings and waits until they apply to the next invocation. */
  async configure(name: FunctionName, settings: FunctionSettings): Promise<void> {
    const FunctionName = this.#names[name];
    const before = await this.#lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    await this.#lambda.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName,
        Timeout: settings.timeoutSeconds ?? before.Timeout,
        MemorySize: settings.memoryMegabytes ?? before.MemorySize,
        Environment: { Variables: { ...before.Environment?.Variables, ...settings.environment } },
      }),
    );
    await this.#untilUpdated(FunctionName);
  }

  /** Replaces the function's code. Returns a function that restores the original. */
  async replaceCode(name: FunctionName, zip: Uint8Array): Promise<() => Promise<void>> {
    const FunctionName = this.#names[name];
    const { Code, Configuration } = await this.#lambda.send(new GetFunctionCommand({ FunctionName }));
    const before = new Uint8Array(await (await fetch(Code?.Location ?? '')).arrayBuffer());
    const put = async (ZipFile: Uint8Array) => {
      await this.#lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }));
      await this.#untilUpdated(FunctionName);
    };
    await put(zip);
    return async () => {
      await put(before);
      await this.configure(name, {
        memoryMegabytes: Configuration?.MemorySize,
        timeoutSeconds: Configuration?.Timeout,
        environment: Configuration?.Environment?.Variables,
      });
    };
  }

  /** Changes the batch size and batching window of the function's queue. */
  async batchMessages(name: FunctionName, BatchSize: number, MaximumBatchingWindowInSeconds: number): Promise<void> {
    const FunctionName = this.#names[name];
    const read = async () =>
      (await this.#lambda.send(new ListEventSourceMappingsCommand({ FunctionName }))).EventSourceMappings?.[0];
    const UUID = (await read())?.UUID;
    await this.#lambda.send(new UpdateEventSourceMappingCommand({ UUID, BatchSize, MaximumBatchingWindowInSeconds }));
    await waitUntil(async () => (await read())?.State === 'Enabled' || undefined, {
      timeoutSeconds: 60,
      pollMillis: 200,
      what: `the mapping of the queue to ${FunctionName} to be enabled`,
    });
  }

  /** Sets the function's reserved concurrency. */
  async allowConcurrent(name: FunctionName, ReservedConcurrentExecutions: number): Promise<void> {
    const FunctionName = this.#names[name];
    await this.#lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions }));
  }

  /** The JSON lines in the function's log. */
  async logLines(name: FunctionName): Promise<readonly Record<string, unknown>[]> {
    const text = await this.logText(name);
    return text.split('\n').flatMap((line) => {
      try {
        return [JSON.parse(line) as Record<string, unknown>];
      } catch {
        return [];
      }
    });
  }

  /** The consumer's line of each batch, in order. */
  async consumedBatches(): Promise<readonly Record<string, unknown>[]> {
    return (await this.logLines('consumer')).filter(({ message }) => message === 'batch consumed');
  }

  async logText(name: FunctionName): Promise<string> {
    return readFile(path.join(this.#logsFolder, `${this.#names[name]}.log`), 'utf8').catch(() => '');
  }

  close(): void {
    this.#lambda.destroy();
  }

  async #untilUpdated(FunctionName: string): Promise<void> {
    const updated = async () => {
      const { LastUpdateStatus } = await this.#lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
      return LastUpdateStatus === 'Successful' || undefined;
    };
    await waitUntil(updated, { timeoutSeconds: 60, pollMillis: 50, what: `${FunctionName} to be updated` });
  }
}

/** Returns false if the process has already exited. */
function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
