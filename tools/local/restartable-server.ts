/**
 * A server that a test can kill, pause and start again, to simulate crashes and outages. It keeps
 * its address and data.
 */
import type { BackgroundProcess } from './children.ts';

export class RestartableServer {
  readonly #launch: () => Promise<BackgroundProcess>;
  #process: BackgroundProcess;

  private constructor(launch: () => Promise<BackgroundProcess>, process: BackgroundProcess) {
    this.#launch = launch;
    this.#process = process;
  }

  /** @param launch starts the server's process and waits until it answers. */
  static async start(launch: () => Promise<BackgroundProcess>): Promise<RestartableServer> {
    return new RestartableServer(launch, await launch());
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Kills the server without a shutdown. */
  kill(): Promise<void> {
    return this.#process.kill();
  }

  /** Starts the server again after it was killed or stopped, and waits until it answers. */
  async start(): Promise<void> {
    this.#process = await this.#launch();
  }

  /** Pauses the server: it keeps its connections and answers nothing until it is resumed. */
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
