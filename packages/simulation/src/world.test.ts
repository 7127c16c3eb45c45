import type { Link } from '@matryoshka/transport';
import { type LinkContractSubject, Recorder, linkContract } from '@matryoshka/transport/contract';
import type { Endpoint } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import type { Latency } from './simulated-network.ts';
import { type World, type WorldOptions, createWorld, inWorld } from './world.ts';

const ALICE = '198.51.100.1';
const BOB = '203.0.113.2';
const BOB_ENDPOINT: Endpoint = { transport: 'tcp', host: BOB, port: 999 };
const FIRST = Uint8Array.of(1, 2, 3);

interface Connected {
  readonly world: World;
  readonly dialled: Link;
  readonly accepted: Link;
  readonly first: Uint8Array;
  readonly dial: () => Promise<Link>;
}

async function connected(options: Partial<WorldOptions> = {}, first: Uint8Array = FIRST): Promise<Connected> {
  const world = createWorld({ seed: 1, ...options });
  const { clock, network } = world;
  const { promise, resolve } = Promise.withResolvers<{ accepted: Link; first: Uint8Array }>();
  await network.host(BOB)({ clock }).listen!(BOB_ENDPOINT, (accepted, bytes) => resolve({ accepted, first: bytes.slice() }));
  const dial = (): Promise<Link> => network.host(ALICE)({ clock }).dial(BOB_ENDPOINT, first, {});
  const dialled = await world.run(dial());
  return { world, dialled, dial, ...(await world.run(promise)) };
}

describe.each<[string, Latency]>([
  ['without latency', 0],
  ['with latency', 25],
  ['with changing latency', [5, 200]],
])('a simulated link %s', (_name, latencyMs) => {
  test.each(linkContract)('$name', async ({ run }) => {
    let world: World | undefined;
    const subject: LinkContractSubject = {
      pair: async (first) => {
        const pair = await connected({ latencyMs, seed: 42 }, first);
        world = pair.world;
        return pair;
      },
      run: (promise) => (world as World).run(promise),
      idle: () => (world as World).clock.advance(1000),
    };
    await run(subject);
  });
});

describe('a simulated network', () => {
  test('takes as long as it is told: a round trip to connect, one way per message', async () => {
    const { world, dialled, accepted } = await connected({ latencyMs: 30 });
    expect(world.clock.now()).toBe(90);
    const owner = new Recorder();
    accepted.attach(owner);
    dialled.send([FIRST]);
    await world.run(owner.until(() => owner.messages.length === 1));
    expect(world.clock.now()).toBe(120);
  });

  test('counts what was sent', async () => {
    const { world, dialled, accepted } = await connected();
    const owner = new Recorder();
    accepted.attach(owner);
    dialled.send([new Uint8Array(100)]);
    await world.clock.run();
    expect(world.network.traffic).toEqual({ messages: 2, bytes: 103 });
  });

  test('cut: both sides see it, and may dial again', async () => {
    const { world, dialled, accepted, dial } = await connected();
    const owners = [new Recorder(), new Recorder()] as const;
    dialled.attach(owners[0]);
    accepted.attach(owners[1]);
    expect(world.network.cut(BOB, ALICE)).toBe(1);
    await world.clock.run();
    expect(owners.map(({ reasons }) => reasons.map(({ code }) => code))).toEqual([['transport.closed'], ['transport.closed']]);
    await world.run(dial());
  });

  test('block: dials fail until unblock', async () => {
    const { world, dial } = await connected();
    expect(world.network.block(ALICE, BOB)).toBe(1);
    await expect(world.run(dial())).rejects.toMatchObject({ code: 'transport.dial-failed' });
    world.network.unblock(BOB, ALICE);
    await world.run(dial());
  });

  test('crash: links break, nobody listens', async () => {
    const { world, dialled, dial } = await connected();
    const owner = new Recorder();
    dialled.attach(owner);
    expect(world.network.crash(BOB)).toBe(1);
    await expect(world.run(dial())).rejects.toMatchObject({ code: 'transport.dial-failed' });
    expect(owner.reasons).toHaveLength(1);
  });

  test('silence: messages come after it, or never', async () => {
    const { world, dialled, accepted, dial } = await connected({ latencyMs: 10 });
    const owner = new Recorder();
    accepted.attach(owner);
    const startMs = world.clock.now();
    world.network.silence(ALICE, BOB, 500);
    dialled.send([FIRST]);
    await world.run(owner.until(() => owner.messages.length === 1));
    expect(world.clock.now() - startMs).toBe(510);

    world.network.silence(ALICE, BOB, Number.POSITIVE_INFINITY);
    dialled.send([FIRST]);
    await world.clock.advance(1_000_000);
    expect(owner.messages).toHaveLength(1);
    await expect(world.run(dial())).rejects.toMatchObject({ code: 'transport.dial-failed', message: expect.stringContaining('too long') });
    world.network.unsilence(ALICE, BOB);
    dialled.send([FIRST]);
    await world.clock.advance(1000);
    expect(owner.messages).toHaveLength(1);
    await world.run(dial());
  });

  test('tap: sees and changes messages until it is taken away', async () => {
    const { world, dialled, accepted } = await connected();
    const owner = new Recorder();
    accepted.attach(owner);
    const untap = world.network.tap((from, to, message) => {
      expect([from.host, to]).toEqual([ALICE, BOB_ENDPOINT]);
      message[0] = 0xff;
    });
    dialled.send([FIRST]);
    await world.clock.run();
    untap();
    dialled.send([FIRST]);
    await world.clock.run();
    expect(owner.messages.map((message) => message[0])).toEqual([0xff, 1]);
  });
});

describe('a world', () => {
  test('replays from its seed', async () => {
    const times = async (seed: number): Promise<number[]> => {
      const { world, dialled, accepted } = await connected({ seed, latencyMs: [1, 50] });
      const seen: number[] = [];
      accepted.attach(new Recorder(() => seen.push(world.clock.now())));
      for (let i = 0; i < 20; i++) {
        dialled.send([FIRST]);
        await world.clock.advance(60);
      }
      return seen;
    };
    expect(await times(7)).toEqual(await times(7));
    expect(await times(7)).not.toEqual(await times(8));
  });

  test('replays from its seed bit for bit: the trace of all that arrives, and when, is the same', async () => {
    const trace = async (seed: number, length = 100): Promise<World['trace']> => {
      const { world, dialled, accepted } = await connected({ seed, latencyMs: [1, 50], bytesPerSecond: 50_000, timersLateMs: 5 });
      accepted.attach(new Recorder((bytes) => void accepted.send([bytes.slice()])));
      dialled.attach(new Recorder());
      for (let i = 0; i < 20; i++) {
        const message = new Uint8Array(length);
        world.random.fill(message);
        dialled.send([message]);
        await world.clock.advance(10);
      }
      await world.clock.run();
      return world.trace;
    };
    const first = await trace(7);
    expect(first.hash).toMatch(/^[0-9a-f]{16}$/);
    expect(first.steps).toBeGreaterThan(40);
    expect(await trace(7)).toEqual(first);
    const others = [first.hash, (await trace(7, 101)).hash];
    for (let seed = 8; seed < 30; seed++) others.push((await trace(seed)).hash);
    expect(new Set(others).size).toBe(others.length);
  });

  test('collects what breaks its rules', async () => {
    const world = createWorld({ seed: 1 });
    const aead = world.provider('alice').aead('chacha20poly1305', new Uint8Array(32));
    const out = new Uint8Array(20);
    for (const fill of [1, 2]) aead.seal(new Uint8Array(12), new Uint8Array(0), new Uint8Array(4).fill(fill), out);
    expect(world.violations).toEqual([expect.stringContaining('sealed twice')]);

    const blocks = world.watchBlocks();
    expect(world.watchBlocks()).toBe(blocks);
    const { network, clock } = world;
    await network.host(BOB)({ clock }).listen!(BOB_ENDPOINT, () => {});
    for (let i = 0; i < 2; i++) await world.run(network.host(ALICE)({ clock }).dial(BOB_ENDPOINT, new Uint8Array(16).fill(9), {}));
    expect(world.violations.slice(1)).toEqual([expect.stringContaining('on 1 at 0 ms (byte 0 of its message), then on 2')]);
  });

  test('says how to replay it when what happens in it fails', async () => {
    const failing = inWorld({ seed: 4711 }, async (world) => {
      await world.clock.advance(50);
      throw new RangeError('three is not two');
    });
    await expect(failing).rejects.toMatchObject({
      message: expect.stringMatching(
        /^three is not two\n.*seed 4711, at 50 ms, step 0, trace [0-9a-f]{16}\n.*createWorld\(\{ seed: 4711n, /,
      ),
      cause: new RangeError('three is not two'),
    });
    const violating = inWorld({ seed: 1 }, async (world) => {
      const aead = world.provider().aead('aes256gcm', new Uint8Array(32));
      for (const fill of [1, 2]) aead.seal(new Uint8Array(12), new Uint8Array(0), new Uint8Array(4).fill(fill), new Uint8Array(20));
    });
    await expect(violating).rejects.toThrow(/sealed twice[^]*seed 1/);
    await expect(inWorld({ seed: 1 }, async (world) => world.seed)).resolves.toBe(1n);
  });

  test('passes on what a promise says', async () => {
    const world = createWorld({ seed: 1 });
    await expect(world.run(new Promise((resolve) => world.clock.after(5, () => resolve('value'))))).resolves.toBe('value');
    await expect(world.run(Promise.reject(new Error('failure')))).rejects.toThrow('failure');
  });

  test('names its seed when it does not get there', async () => {
    const world = createWorld({ seed: 4711n });
    await expect(world.run(new Promise(() => {}))).rejects.toThrow('seed 4711');
    const beat = (): void => void world.clock.after(1000, beat);
    beat();
    await expect(world.run(new Promise(() => {}), { deadlineMs: 10_000 })).rejects.toThrow(/seed 4711 .* 10000 ms/);
  });
});
