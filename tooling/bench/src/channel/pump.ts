import type { Channel } from './channel.ts';

/** Writes one buffer again and again, as fast as the channel takes it, until it is time to stop. */
export class Pump {
  readonly #channel: Pick<Channel, 'write'>;
  readonly #buffer: Uint8Array;
  readonly #deadline: number;
  readonly #done: () => void;
  readonly #mayWrite: (bytesSoFar: number) => boolean;
  #writes = 0;
  #over = false;

  /**
   * @param length - of each write
   * @param deadline - when to stop, on the clock of `performance`
   * @param done - called once, after the last write
   * @param mayWrite - false: not before the next call of `run`
   */
  constructor(
    channel: Pick<Channel, 'write'>,
    length: number,
    deadline: number,
    done: () => void,
    mayWrite: (bytesSoFar: number) => boolean = () => true,
  ) {
    this.#channel = channel;
    this.#buffer = new Uint8Array(length);
    this.#deadline = deadline;
    this.#done = done;
    this.#mayWrite = mayWrite;
  }

  get writes(): number {
    return this.#writes;
  }

  get bytes(): number {
    return this.#writes * this.#buffer.length;
  }

  /** To be called first and whenever the channel is writable again. */
  run(): void {
    if (this.#over) return;
    while (performance.now() < this.#deadline) {
      if (!this.#mayWrite(this.bytes)) return;
      this.#writes++;
      if (!this.#channel.write(this.#buffer)) return;
    }
    this.#over = true;
    this.#done();
  }
}
