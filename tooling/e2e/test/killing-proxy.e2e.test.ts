import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Kill } from '../src/resume/kill-plan.ts';
import { KillingProxy } from '../src/resume/killing-proxy.ts';

// That connections really die, where and how the plan says.

const HOST = '127.64.0.1';
const KILL: Kill = {
  when: { type: 'at', bytes: 1000 },
  backwardCutLength: undefined,
  manner: 'close',
  first: 'near',
  halfOpenMs: 0,
  swallows: false,
  stallMs: 0,
  refuseMs: 0,
};

let server: Server;
let proxy: KillingProxy | undefined;
let arrived: Buffer[];
let accepted: Socket[];

beforeEach(async () => {
  arrived = [];
  accepted = [];
  server = createServer((socket) => {
    accepted.push(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => arrived.push(bytes));
  });
  server.listen({ host: HOST, port: 0 });
  await once(server, 'listening');
});

afterEach(() => {
  proxy?.close();
  server.close();
  for (const socket of accepted) socket.destroy();
});

async function start(kills: readonly Kill[]): Promise<number> {
  proxy = new KillingProxy({ host: HOST, port: (server.address() as AddressInfo).port }, kills, 10_000);
  proxy.arm();
  return proxy.listen(HOST, 0);
}

async function dial(port: number): Promise<Socket> {
  const socket = connect({ host: HOST, port });
  await once(socket, 'connect');
  return socket;
}

/** Resolves with the code of the error it ended with, if any. */
async function ended(socket: Socket): Promise<string | undefined> {
  let code: string | undefined;
  socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code)).resume();
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return code;
}

describe('the killing proxy', () => {
  test('carries bytes both ways while there is nothing to kill', async () => {
    const socket = await dial(await start([]));
    socket.write(Buffer.alloc(5000, 1));
    await expect.poll(() => Buffer.concat(arrived).length).toBe(5000);
    accepted[0]?.write('hello');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toBe('hello');
    socket.end();
    expect(await ended(socket)).toBeUndefined();
    expect(proxy?.killed).toBe(0);
  });

  test('kills in the middle of a piece, at the planned byte', async () => {
    const socket = await dial(await start([KILL]));
    socket.write(Buffer.alloc(5000, 1));
    await ended(socket);
    await expect.poll(() => accepted[0]?.closed).toBe(true);
    expect(Buffer.concat(arrived).length).toBe(1000);
    expect(proxy?.killed).toBe(1);
  });

  test('resets where the plan says so', async () => {
    const socket = await dial(await start([{ ...KILL, manner: 'reset' }]));
    socket.write(Buffer.alloc(5000, 1));
    expect(await ended(socket)).toBe('ECONNRESET');
  });

  test('cuts a piece that goes backward', async () => {
    const socket = await dial(await start([{ ...KILL, when: { type: 'at', bytes: 0 }, backwardCutLength: 3 }]));
    const got: Buffer[] = [];
    socket.on('data', (bytes: Buffer) => got.push(bytes));
    await expect.poll(() => accepted.length).toBe(1);
    accepted[0]?.write('hello');
    await ended(socket);
    expect(Buffer.concat(got).toString()).toBe('hel');
  });

  test('lets one end live on for a while', async () => {
    const socket = await dial(await start([{ ...KILL, first: 'far', halfOpenMs: 200 }]));
    socket.write(Buffer.alloc(5000, 1));
    await expect.poll(() => accepted[0]?.closed).toBe(true);
    const before = performance.now();
    expect(socket.closed).toBe(false);
    await ended(socket);
    expect(performance.now() - before).toBeGreaterThan(100);
  });

  test('stops forwarding before it kills', async () => {
    const socket = await dial(await start([{ ...KILL, stallMs: 200 }]));
    const before = performance.now();
    socket.write(Buffer.alloc(5000, 1));
    await ended(socket);
    expect(performance.now() - before).toBeGreaterThan(150);
    expect(Buffer.concat(arrived).length).toBe(1000);
  });

  test('refuses the next connection for a while, and kills the one after it soon', async () => {
    const port = await start([
      { ...KILL, refuseMs: 300 },
      { ...KILL, when: { type: 'soon', bytes: 10 } },
    ]);
    const socket = await dial(port);
    socket.write(Buffer.alloc(5000, 1));
    await ended(socket);
    await expect(dial(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await delay(400);
    const next = await dial(port);
    next.write(Buffer.alloc(5000, 1));
    await ended(next);
    await expect.poll(() => proxy?.killed).toBe(2);
    await expect.poll(() => Buffer.concat(arrived).length).toBe(1010);
  });
});
