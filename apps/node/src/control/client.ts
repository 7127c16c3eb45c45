import { type IncomingMessage, request } from 'node:http';
import type { Readable } from 'node:stream';
import { CliError } from '../cli-error.ts';
import type { Problem } from './problem.ts';
import { parseEvents } from './parse-events.ts';

/** What a request to a running node brings along. */
export interface CallOptions {
  /** Sent as JSON; a stream is sent as it is. */
  readonly body?: object | Readable;
  /** Of a stream, in bytes. */
  readonly bodyLength?: number;
  readonly signal?: AbortSignal;
}

/** One of the events of an answer. */
export interface ReceivedEvent {
  readonly event: string;
  readonly data: unknown;
}

/** Asks the node that runs in a data folder, over its local socket. */
export class ControlClient {
  readonly #socketPath: string;
  readonly #data: string;

  /**
   * @param socketPath - of its local socket
   * @param data - the folder, for people
   */
  constructor(socketPath: string, data: string) {
    this.#socketPath = socketPath;
    this.#data = data;
  }

  /** Whether a node runs there and answers. */
  async running(): Promise<boolean> {
    try {
      await this.call('GET', '/health');
      return true;
    } catch (error) {
      if (error instanceof CliError && error.code === 'control.not-running') return false;
      throw error;
    }
  }

  /**
   * Asks for `path`.
   * @throws CliError with the code of the node's answer; `control.not-running` where no node answers, `control.lost` where it
   * ended in the middle
   */
  async call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
    const response = await this.#send(method, path, options);
    const text = await readText(response, this.#lost);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** The same for an answer that is text. */
  async text(path: string): Promise<string> {
    return readText(await this.#send('GET', path, {}), this.#lost);
  }

  /** The same for an answer that is a stream of events; a failure in the middle is thrown. */
  async *events(method: string, path: string, options: CallOptions = {}): AsyncGenerator<ReceivedEvent, void> {
    const response = await this.#send(method, path, options);
    try {
      for await (const event of parseEvents(response)) {
        if (event.event === 'problem') throw problemError(event.data as Problem);
        yield event;
      }
    } catch (error) {
      if (error instanceof CliError || options.signal?.aborted === true) throw error;
      throw this.#lost(error);
    } finally {
      response.destroy();
    }
  }

  readonly #lost = (cause: unknown): CliError =>
    new CliError('control.lost', 'the node ended before it had answered', 'look at its log, and start it again with "matryoshka up"', {
      cause,
    });

  async #send(method: string, path: string, { body, bodyLength, signal }: CallOptions): Promise<IncomingMessage> {
    const stream = isReadable(body) ? body : undefined;
    const json = body === undefined || stream !== undefined ? undefined : Buffer.from(JSON.stringify(body));
    const length = json?.length ?? bodyLength;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = request(
        {
          socketPath: this.#socketPath,
          method,
          path,
          headers: {
            Host: 'localhost',
            ...(json !== undefined && { 'Content-Type': 'application/json' }),
            ...(stream !== undefined && { 'Content-Type': 'application/octet-stream' }),
            ...(length !== undefined && { 'Content-Length': length }),
          },
          ...(signal !== undefined && { signal }),
        },
        resolve,
      );
      outgoing.on('error', (error) => reject(signal?.aborted === true ? error : this.#unreachable(error)));
      if (stream === undefined) outgoing.end(json);
      else stream.on('error', (error) => outgoing.destroy(error)).pipe(outgoing);
    });
    if ((response.statusCode ?? 500) >= 400) throw problemError(JSON.parse(await readText(response, this.#lost)) as Problem);
    return response;
  }

  #unreachable(error: NodeJS.ErrnoException): Error {
    if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED')
      return new CliError(
        'control.not-running',
        `no node is running with the data folder ${this.#data}`,
        'start it with "matryoshka up", or name its folder with --data',
        {
          cause: error,
        },
      );
    if (error.code === 'EACCES' || error.code === 'EPERM')
      return new CliError('control.refused', `the node at ${this.#socketPath} belongs to another user`, 'ask it as the user it runs as', {
        cause: error,
      });
    return error instanceof CliError ? error : this.#lost(error);
  }
}

function isReadable(body: object | undefined): body is Readable {
  return body !== undefined && 'pipe' in body;
}

async function readText(response: IncomingMessage, lost: (cause: unknown) => CliError): Promise<string> {
  try {
    let text = '';
    for await (const piece of response.setEncoding('utf8') as AsyncIterable<string>) text += piece;
    return text;
  } catch (error) {
    throw lost(error);
  }
}

function problemError({ code, detail, hint }: Problem): CliError {
  return new CliError(code, detail, hint);
}
