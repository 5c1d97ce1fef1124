/** A server that a test may kill, pause and start again, as crashes and outages do it: same address, same data. */
import type { BackgroundProcess } from './children.ts';

export class RestartableServer {
  readonly #launch: () => Promise<BackgroundProcess>;
  #process: BackgroundProcess;

  private constructor(launch: () => Promise<BackgroundProcess>, process: BackgroundProcess) {
    this.#launch = launch;
    this.#process = process;
  }

  /** @param launch starts the server's process, and waits until it answers. */
  static async start(launch: () => Promise<BackgroundProcess>): Promise<RestartableServer> {
    return new RestartableServer(launch, await launch());
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Ends it without a chance to say goodbye. */
  kill(): Promise<void> {
    return this.#process.kill();
  }

  /** Starts it again after it was killed or stopped, and waits until it answers. */
  async start(): Promise<void> {
    this.#process = await this.#launch();
  }

  /** It holds its connections and answers nothing, until it is resumed. */
  pause(): void {
    this.#process.pause();
  }

  resume(): void {
    this.#process.resume();
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}
