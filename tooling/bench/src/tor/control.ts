import { type Socket, connect } from 'node:net';
import { once } from 'node:events';

/** What Tor's control port says, line by line (control-spec §2.3). */
export class ReplyReader {
  #rest = '';
  #reply: string[] = [];

  /** Replies and events that `text` completes, each with all of its lines, the status code in front of each. */
  read(text: string): readonly (readonly string[])[] {
    const complete: string[][] = [];
    const lines = (this.#rest + text).split('\r\n');
    this.#rest = lines.pop() as string;
    for (const line of lines) {
      this.#reply.push(line);
      // `250-` and `250+` go on, `250 ` is the last line of its reply.
      if (!/^\d{3} /.test(line)) continue;
      complete.push(this.#reply);
      this.#reply = [];
    }
    return complete;
  }
}

/** A controller of one Tor client. */
export class TorControl {
  readonly #socket: Socket;
  readonly #reader = new ReplyReader();
  readonly #waiting: { readonly resolve: (lines: readonly string[]) => void; readonly reject: (error: Error) => void }[] = [];
  readonly #onEvent: (line: string) => void;

  private constructor(socket: Socket, onEvent: (line: string) => void) {
    this.#socket = socket;
    this.#onEvent = onEvent;
    socket.setEncoding('utf8').on('data', (text: Buffer | string) => {
      for (const reply of this.#reader.read(String(text))) this.#take(reply);
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('tor closed its control port'));
    });
  }

  /** @param onEvent - called with each event, without its `650 ` */
  static async open(host: string, port: number, onEvent: (line: string) => void): Promise<TorControl> {
    const socket = connect({ host, port, noDelay: true });
    await once(socket, 'connect');
    const control = new TorControl(socket, onEvent);
    await control.ask('AUTHENTICATE ""');
    return control;
  }

  /** Sends a command; returns the lines of its reply, without the code. @throws Error where the answer is not 250 */
  async ask(command: string): Promise<readonly string[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
    this.#waiting.push({ resolve, reject });
    this.#socket.write(`${command}\r\n`);
    const lines = await promise;
    if (lines.at(-1)?.startsWith('250') !== true) throw new Error(`tor: ${command}: ${lines.join(' ')}`);
    return lines.map((line) => line.slice(4));
  }

  #take(reply: readonly string[]): void {
    if (reply[0]?.startsWith('650') === true) for (const line of reply) this.#onEvent(line.slice(4));
    else this.#waiting.shift()?.resolve(reply);
  }
}
