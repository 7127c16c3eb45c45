import { afterEach, describe, expect, test, vi } from 'vitest';
import { ApiClient, ApiError } from './client.ts';

const requests: Request[] = [];
function answer(make: () => Response): void {
  vi.stubGlobal('fetch', (path: string, options: RequestInit) => {
    requests.push(new Request(new URL(path, 'http://127.0.0.1/'), options));
    return Promise.resolve(make());
  });
}
afterEach(() => {
  requests.splice(0);
  vi.unstubAllGlobals();
});
const { signal } = new AbortController();
const client = new ApiClient('secret');

describe('the client of the control API', () => {
  test('sends the token in a header, never in the address', async () => {
    answer(() => Response.json({ ok: true }));
    expect(await client.get('/health', signal)).toEqual({ ok: true });
    expect(requests[0]?.headers.get('authorization')).toBe('Bearer secret');
    expect(requests[0]?.url).not.toContain('secret');
  });

  test('sends JSON as JSON', async () => {
    answer(() => new Response(null, { status: 204 }));
    await client.post('/demo/kill', { peerId: 'b' });
    expect([requests[0]?.headers.get('content-type'), await requests[0]?.json()]).toEqual(['application/json', { peerId: 'b' }]);
  });

  test('tells what the node refuses with, and what it is about where that is no JSON', async () => {
    const problem = { status: 401, code: 'control.unauthorized', detail: 'the token is wrong', hint: 'send another' };
    answer(() => Response.json(problem, { status: 401 }));
    const refusal = await client.get('/v1/status', signal).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ApiError);
    expect(refusal).toMatchObject({ status: 401, code: 'control.unauthorized', message: 'the token is wrong', hint: 'send another' });
    answer(() => new Response('<h1>no</h1>', { status: 502, statusText: 'Bad Gateway' }));
    await expect(client.get('/', signal)).rejects.toMatchObject({ status: 502, message: 'the answer was 502 Bad Gateway' });
  });

  test('reads events however they are cut, keep-alives and all', async () => {
    const text = 'id: 7\nevent: ready\ndata: {"event":"ready","at":1}\n\n:\n\nid: 8\nevent: x\ndata: {"event":"x","at":2,"name":"é"}\n\n';
    const bytes = new TextEncoder().encode(text);
    answer(
      () =>
        new Response(
          new ReadableStream({
            start: (controller) => {
              for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
              controller.close();
            },
          }),
        ),
    );
    const events = await Array.fromAsync(client.events(6, signal));
    expect(requests[0]?.url).toMatch(/\/v1\/events\?after=6$/);
    expect(events).toEqual([
      { number: 7, event: { event: 'ready', at: 1 } },
      { number: 8, event: { event: 'x', at: 2, name: 'é' } },
    ]);
  });
});
