import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Knowledge } from '../src/demo/knowledge.ts';
import type { TransferResult } from '../src/demo/transfer.ts';
import { type Cli, startDemo } from './cli.ts';
import { type HttpAnswer, http } from './daemon.ts';

const NAMES = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'];
let folder: string;
const demos: Cli[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'matryoshka-demo-test-'));
});
afterEach(() => {
  // Nobody else ends one whose test has failed.
  for (const { child } of demos.splice(0)) child.kill('SIGKILL');
  const left = readdirSync(folder);
  rmSync(folder, { recursive: true });
  expect(left, 'left behind by the demo').toEqual([]);
});

function start(...args: readonly string[]): Cli {
  const demo = startDemo(folder, ...args);
  demos.push(demo);
  return demo;
}

function knowledgeIn(result: TransferResult, name: string): Knowledge {
  const knowledge = result.knowledge[name];
  if (knowledge === undefined) throw new Error(`nothing is told of ${name}`);
  return knowledge;
}

/** All a node told but who it is itself. */
function told(result: TransferResult, name: string): string {
  const { peerId: _peerId, listening: _listening, ...rest } = knowledgeIn(result, name);
  return JSON.stringify(rest);
}

/** Resolves when the demo has said `text` to people, or has ended. */
function said(demo: Cli, text: string): Promise<void> {
  return new Promise((resolve) => {
    demo.child.stdout.on('data', () => demo.stdout.includes(text) && resolve());
    void demo.exited.then(() => resolve());
  });
}

describe('the demo', () => {
  test('carries a file through relays and through a circuit, and tells who knew what', async () => {
    const demo = start('--json', '--size', '8');
    expect(await demo.exited, demo.stderr).toBe(0);
    expect(demo.stdout.trimEnd().split('\n'), 'one object').toHaveLength(1);
    const { relayed, telescoped, ...more } = JSON.parse(demo.stdout) as Record<'relayed' | 'telescoped', TransferResult>;
    expect(more).toEqual({});
    expect(relayed).toMatchObject({ hops: 3, bytes: 8 * 1024 * 1024, sha256Match: true });
    expect(telescoped).toMatchObject({ hops: 4, bytes: 8 * 1024 * 1024, sha256Match: true, path: ['B', 'C', 'D', 'E'] });
    for (const result of [relayed, telescoped]) {
      expect(result.seconds).toBeGreaterThan(0);
      expect(result.path).toHaveLength(result.hops);
      expect(Object.keys(result.knowledge).toSorted()).toEqual(NAMES);
      expect(new Set(NAMES.map((name) => knowledgeIn(result, name).peerId)).size).toBe(NAMES.length);
    }
    expect(demo.stderr).toContain("D's view of the source endpoint: 127.");
    expect(demo.stderr).toMatch(/\d+ processes were started and are gone/);
    expect(readdirSync(folder)).toEqual([]);

    // First table: the relays are two of the mesh, each on a network of its own; A connects to B and F only.
    const [first, last, end] = relayed.path as [string, string, string];
    expect(['B', 'F']).toContain(first);
    expect(['B', 'C', 'F', 'G', 'H']).toContain(last);
    expect(last).not.toBe(first);
    expect(end).toBe('D');
    const idOf = (name: string): string => knowledgeIn(relayed, name).peerId;
    expect(knowledgeIn(relayed, first).forwards).toEqual([
      expect.objectContaining({
        hopsLeft: 2,
        previousHop: expect.objectContaining({ peerId: idOf('A') }),
        nextHop: expect.objectContaining({ peerId: idOf(last) }),
      }),
    ]);
    expect(JSON.stringify(knowledgeIn(relayed, last).forwards)).not.toContain(idOf('A'));
    const [source] = knowledgeIn(relayed, 'D').sessions;
    expect(source?.peerId).toBe(idOf('A'));
    expect(source?.remote).toMatch(/^127\.\d+\.0\.1:\d+:\d+$/);
    expect(told(relayed, 'D')).not.toContain('127.11.0.1');

    // Second table: no relay but the first is told who A is, and none but the last who E is.
    const a = knowledgeIn(telescoped, 'A').peerId;
    const e = knowledgeIn(telescoped, 'E').peerId;
    expect(a).toBe(idOf('A'));
    expect(told(telescoped, 'B')).toContain(a);
    for (const name of ['C', 'D', 'E', 'F', 'G', 'H']) {
      expect(told(telescoped, name), name).not.toContain(a);
      expect(told(telescoped, name), name).not.toContain('127.11.0.1');
    }
    expect(told(telescoped, 'D')).toContain(e);
    for (const name of ['B', 'C', 'F', 'G', 'H']) {
      expect(told(telescoped, name), name).not.toContain(e);
      expect(told(telescoped, name), name).not.toContain('127.55.0.1');
    }
    expect(knowledgeIn(telescoped, 'E').sessions).toEqual([expect.objectContaining({ peerId: null, authenticated: false })]);
  });

  test('interrupted, it leaves neither processes nor files', async () => {
    const demo = start('--size', '1024');
    await said(demo, 'Each is a process');
    demo.child.kill('SIGINT');
    expect(await demo.exited).toBe(130);
    expect(demo.stderr).toContain('interrupted');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a node that fails fails it, by name, and nothing is left', async () => {
    const demo = start('--size', '1024', '--verbose');
    await said(demo, 'Each is a process');
    const pid = Number(/^\[C\] process (\d+)$/m.exec(demo.stderr)?.[1]);
    expect(pid).toBeGreaterThan(1);
    process.kill(pid, 'SIGKILL');
    expect(await demo.exited).toBe(1);
    expect(demo.stderr).toContain('demo: the process of C ended with SIGKILL');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a file that cannot be read ends it at once, with the reason', async () => {
    const demo = start('--file', '/no/such/file');
    expect(await demo.exited).toBe(1);
    expect(demo.stderr).toContain('cannot read /no/such/file: there is no such file');
  });
});

interface Connection {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly peerId?: string;
  readonly bytesReceived: number;
  readonly hops?: readonly { readonly peerId: string }[];
}

interface Relay {
  readonly name: string;
  readonly peerId: string;
  readonly state: string;
}

/** Asks the control API of A as its dashboard does. */
class Dashboard {
  readonly #url: URL;

  constructor(url: string) {
    this.#url = new URL(url);
  }

  ask(method: string, path: string, body?: object): Promise<HttpAnswer> {
    const { host, port, hash } = this.#url;
    const headers = { 'Host': host, 'Authorization': `Bearer ${hash.slice('#token='.length)}`, 'Content-Type': 'application/json' };
    return http({ port: Number(port) }, method, path, { headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
  }

  async connection(kind: string): Promise<Connection | undefined> {
    const connections = (await this.ask('GET', '/v1/connections')).json as unknown as readonly Connection[];
    // Those of ready circuits are to relays.
    const relays = new Set((await this.relays()).map(({ peerId }) => peerId));
    return connections.find((connection) => connection.kind === kind && !relays.has(connection.peerId ?? ''));
  }

  async relays(): Promise<readonly Relay[]> {
    return (await this.ask('GET', '/demo')).json.relays as readonly Relay[];
  }
}

/** Waits until `ask` gives something. */
async function until<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
  const deadlineMs = performance.now() + 100_000;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop
    const found = await ask();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadlineMs) throw new Error(`not in time: ${what}`);
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('the demo that stays', () => {
  test('has a dashboard and traffic; a relay that is killed there is gone around and comes back; its end leaves nothing', async () => {
    const demo = start('--stay', '--json', '--verbose', '--size', '1', '--revive-after', '1');
    await until('two lines', () => Promise.resolve(demo.stdout.split('\n').length > 2 || demo.child.exitCode !== null));
    const [result, dashboard, ...more] = demo.stdout.trimEnd().split('\n');
    expect(more, demo.stderr).toEqual([]);
    expect(JSON.parse(result as string)).toMatchObject({ relayed: { sha256Match: true }, telescoped: { sha256Match: true } });
    const { dashboard: url } = JSON.parse(dashboard as string) as { readonly dashboard: string };
    const page = new Dashboard(url);
    expect((await page.ask('GET', '/')).type).toMatch(/^text\/html/);
    expect(Object.keys((await page.ask('GET', '/openapi.json')).json.paths as object)).toEqual(
      expect.arrayContaining(['/demo', '/demo/kill']),
    );
    expect((await page.relays()).map(({ name, state }) => `${name} ${state}`)).toEqual(
      ['B', 'C', 'F', 'G', 'H'].map((name) => `${name} running`),
    );

    const flowing = (kind: string, from = 0): Promise<Connection> =>
      until(`bytes on the ${kind} connection`, async () => {
        const connection = await page.connection(kind);
        return connection?.state === 'open' && connection.bytesReceived > from && connection;
      });
    const [relayed, telescoped] = await Promise.all([flowing('relayed', 1_000), flowing('telescoped', 1_000)]);

    // The first hop of the circuit is killed: the same connection goes on through others.
    const victim = telescoped.hops?.[0]?.peerId as string;
    expect((await page.ask('POST', '/demo/kill', { peerId: victim })).status).toBe(204);
    expect((await page.relays()).find(({ peerId }) => peerId === victim)?.state).toBe('down');
    expect((await page.ask('POST', '/demo/kill', { peerId: relayed.peerId })).json).toMatchObject({
      status: 404,
      code: 'demo.unknown-relay',
    });
    const rerouted = await until('another path', async () => {
      const connection = await page.connection('telescoped');
      return connection?.state === 'open' && connection.hops?.[0]?.peerId !== victim && connection;
    });
    expect(rerouted.id).toBe(telescoped.id);
    await Promise.all([flowing('telescoped', rerouted.bytesReceived + 1_000), flowing('relayed', relayed.bytesReceived + 1_000)]);
    await until('it is back', async () => (await page.relays()).every(({ state }) => state === 'running'));
    // What the terminal says may come a moment after what the API does.
    for (const line of [
      / [BCFGH] was killed/,
      / [BCFGH] is back/,
      /telescoped connection to E goes on over another path: A > .* > E; longest pause \d+ ms/,
    ])
      // oxlint-disable-next-line no-await-in-loop
      await until(String(line), () => Promise.resolve(line.test(demo.stderr)));

    const endedMs = performance.now();
    demo.child.kill('SIGINT');
    expect(await demo.exited, demo.stderr).toBe(0);
    expect(performance.now() - endedMs).toBeLessThan(10_000);
    const pids = [...demo.stderr.matchAll(/^\[\w\] process (\d+)$/gm)].map(([, pid]) => Number(pid));
    expect(pids.length).toBe(10);
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('says at once what is wrong with how it is called', async () => {
    const taken = createServer();
    await once(taken.listen(0, '127.0.0.1'), 'listening');
    const { port } = taken.address() as AddressInfo;
    const cases: readonly (readonly [args: readonly string[], code: number, says: RegExp])[] = [
      [['--stay', '--port', String(port)], 1, /port \d+ of 127\.0\.0\.1 is not to be had .*EADDRINUSE.*name another with --port/],
      [['--stay', '--port', '70000'], 2, /Expected a port/],
      [['--port', '1234'], 2, /go with --stay/],
      [['--linger'], 2, /unknown option '--linger'/],
    ];
    await Promise.all(
      cases.map(async ([args, code, says]) => {
        const demo = start(...args);
        expect(await demo.exited).toBe(code);
        expect(demo.stderr).toMatch(says);
      }),
    );
    taken.close();
  });
});
