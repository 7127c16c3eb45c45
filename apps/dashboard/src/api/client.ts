import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { NodeEvent, NumberedEvent } from './types.ts';

/** How long an answer may take, in milliseconds. */
const TIMEOUT_MS = 10_000;

/** The node has refused, as problem details (RFC 9457). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;

  constructor(status: number, code: string, detail: string, hint?: string) {
    super(detail);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

/** Asks the control API of the node that served this page. */
export class ApiClient {
  readonly #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  /** @throws ApiError where the node refuses, TypeError where it does not answer */
  async get<T>(path: string, signal: AbortSignal): Promise<T> {
    const response = await this.#send('GET', path, AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]));
    return (await response.json()) as T;
  }

  /** @throws as `get` */
  async post(path: string, body: object): Promise<void> {
    await this.#send('POST', path, AbortSignal.timeout(TIMEOUT_MS), JSON.stringify(body));
  }

  /**
   * What happens from now on, and what is kept of it before.
   * @param after - number of the last event that is known
   * @throws as `get`
   */
  async *events(after: number, signal: AbortSignal): AsyncGenerator<NumberedEvent, void> {
    const { body } = await this.#send('GET', `/v1/events?after=${after}`, signal);
    if (body === null) return;
    const reader = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream()).getReader();
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop
      const { done, value } = await reader.read();
      if (done) return;
      yield { number: Number(value.id), event: JSON.parse(value.data) as NodeEvent };
    }
  }

  async #send(method: string, path: string, signal: AbortSignal, body?: string): Promise<Response> {
    const response = await fetch(path, {
      method,
      headers: { Authorization: `Bearer ${this.#token}`, ...(body !== undefined && { 'Content-Type': 'application/json' }) },
      signal,
      ...(body !== undefined && { body }),
    });
    if (response.ok) return response;
    const { code, detail, hint } = await problemIn(response);
    throw new ApiError(response.status, code, detail, hint);
  }
}

async function problemIn(response: Response): Promise<{ code: string; detail: string; hint?: string }> {
  const unknown = { code: 'unknown', detail: `the answer was ${response.status} ${response.statusText}` };
  try {
    return { ...unknown, ...((await response.json()) as object) };
  } catch {
    return unknown;
  }
}
