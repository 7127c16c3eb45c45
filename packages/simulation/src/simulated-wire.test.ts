import type { Link, WireSide } from '@matryoshka/transport';
import { Recorder } from '@matryoshka/transport/contract';
import type { Endpoint } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import type { CutOptions, SimulatedWire } from './simulated-wire.ts';
import { type World, type WorldOptions, createWorld } from './world.ts';

const ALICE = '198.51.100.1';
const BOB = '203.0.113.2';
const BOB_ENDPOINT: Endpoint = { transport: 'tcp', host: BOB, port: 999 };
/** Bytes 0 to 99 of what the dialler sends. */
const FIRST = new Uint8Array(100).fill(1);
const MESSAGE = new Uint8Array(100).fill(2);
const NEVER = Number.POSITIVE_INFINITY;

interface Connected {
  readonly world: World;
  readonly wire: SimulatedWire;
  readonly dialled: Link;
  readonly accepted: Link;
  readonly alice: Recorder;
  readonly bob: Recorder;
}

async function connected(options: Partial<WorldOptions> = {}): Promise<Connected> {
  const world = createWorld({ seed: 1, latencyMs: 10, ...options });
  const { clock, network } = world;
  const { promise, resolve } = Promise.withResolvers<Link>();
  await network.host(BOB)({ clock }).listen!(BOB_ENDPOINT, resolve);
  const dialled = await world.run(network.host(ALICE)({ clock }).dial(BOB_ENDPOINT, FIRST, {}));
  const accepted = await world.run(promise);
  const [alice, bob] = [new Recorder(), new Recorder()];
  dialled.attach(alice);
  accepted.attach(bob);
  return { world, wire: network.wires()[0]!, dialled, accepted, alice, bob };
}

describe('a link that is cut', () => {
  test('in the middle of a message: what was before arrives, that message does not, nor anything after it', async () => {
    const { world, wire, dialled, accepted, alice, bob } = await connected();
    wire.cut({ at: { side: 'dialler', byte: 250 }, toldMs: { dialler: NEVER, listener: NEVER } });
    expect(wire.severed).toBe(false);
    for (let i = 0; i < 4; i++) {
      dialled.send([MESSAGE]);
      accepted.send([MESSAGE]);
      await world.clock.advance(50);
    }
    // Bytes 100 to 199 came; byte 250 was in the next message. The other way was cut at the same moment.
    expect(bob.messages.length).toBe(1);
    expect(alice.messages.length).toBe(1);
    expect([alice.reasons, bob.reasons]).toEqual([[], []]);
    expect([wire.open, wire.severed]).toEqual([true, true]);
  });

  test.each([0, 99, 100, 199, 200])('at byte %i, exactly', async (byte) => {
    const { world, wire, dialled, bob } = await connected();
    // The first message went before it could be cut.
    wire.cut({ at: { side: 'dialler', byte } });
    for (let i = 0; i < 3; i++) {
      dialled.send([MESSAGE]);
      await world.clock.advance(50);
    }
    expect(bob.messages.length).toBe(byte < 200 ? 0 : 1);
    expect(wire.severed).toBe(true);
  });

  test('under the first message of a dial: it never arrives, and the dialler holds half a link', async () => {
    const world = createWorld({ seed: 1, latencyMs: 10 });
    const { clock, network } = world;
    let accepted = 0;
    await network.host(BOB)({ clock }).listen!(BOB_ENDPOINT, () => accepted++);
    network.watch((wire) => wire.cut({ at: { side: 'dialler', byte: 50 }, toldMs: { dialler: 300 } }));
    const dialled = await world.run(network.host(ALICE)({ clock }).dial(BOB_ENDPOINT, FIRST, {}));
    const alice = new Recorder();
    dialled.attach(alice);
    await clock.run();
    expect(accepted).toBe(0);
    expect(alice.reasons.map(({ code }) => code)).toEqual(['transport.closed']);
  });

  test.each([false, true])(
    'before its first message is there, and the listener is never told: it gives up by itself (in flight %s)',
    async (inFlight) => {
      const world = createWorld({ seed: 1, latencyMs: 10 });
      const { clock, network } = world;
      await network.host(BOB)({ clock }).listen!(BOB_ENDPOINT, () => {});
      const cut: CutOptions = { inFlight, toldMs: { dialler: 300, listener: NEVER } };
      network.watch((wire) => (inFlight ? clock.after(5, () => wire.cut(cut)) : wire.cut({ ...cut, at: { side: 'dialler', byte: 50 } })));
      const dialled = await world.run(network.host(ALICE)({ clock }).dial(BOB_ENDPOINT, FIRST, {}));
      dialled.attach(new Recorder());
      await clock.advance(9_900);
      expect(network.wires().length).toBe(1);
      await clock.advance(200);
      expect(network.wires()).toEqual([]);
      expect(clock.pending).toBe(0);
    },
  );

  test('is noticed by each side when it is told, and not before', async () => {
    const { world, wire, alice, bob } = await connected();
    const cutMs = world.clock.now();
    const told: Partial<Record<WireSide, number>> = {};
    void alice.until(() => alice.reasons.length > 0).then(() => (told.dialler = world.clock.now() - cutMs));
    void bob.until(() => bob.reasons.length > 0).then(() => (told.listener = world.clock.now() - cutMs));
    wire.cut({ toldMs: { dialler: 70, listener: 4000 } });
    await world.clock.advance(10_000);
    expect(told).toEqual({ dialler: 70, listener: 4000 });
    expect(wire.open).toBe(false);
    expect(world.network.wires()).toEqual([]);
  });

  test.each([true, false])('loses what is on its way: %s', async (inFlight) => {
    const { world, wire, dialled, bob } = await connected();
    dialled.send([MESSAGE]);
    await world.clock.advance(5);
    wire.cut({ inFlight, toldMs: { dialler: 0, listener: 100 } });
    await world.clock.advance(1000);
    expect(bob.messages.length).toBe(inFlight ? 0 : 1);
  });

  test('may or may not have counted the last sends as written', async () => {
    const counted = new Set<number>();
    for (let seed = 1; seed <= 20; seed++) {
      const { world, wire, dialled, alice } = await connected({ seed });
      wire.cut({ at: { side: 'dialler', byte: 150 } });
      dialled.send([MESSAGE]);
      await world.clock.advance(100);
      expect(alice.reasons.length).toBe(1);
      counted.add(alice.writtenSends);
    }
    expect(counted).toEqual(new Set([0, 1]));
  });

  test('takes what its carrier has room for and no more, as long as nobody is told', async () => {
    const { world, wire, dialled, alice, bob } = await connected();
    wire.cut({ toldMs: { dialler: NEVER, listener: 0 } });
    const message = new Uint8Array(60_000);
    for (let i = 0; i < 20; i++) dialled.send([message]);
    await world.clock.advance(100_000);
    // 256 KiB of carrier.
    expect(alice.writtenSends).toBe(5);
    expect(alice.reasons).toEqual([]);
    expect(bob.reasons.length).toBe(1);
    // A close waits for its flush, and gives up.
    dialled.close();
    await world.clock.advance(60_000);
    expect(alice.reasons.length).toBe(1);
  });
});

describe('a link that dies in one direction', () => {
  test('leaves one side waiting, while the other still hears', async () => {
    const { world, wire, dialled, accepted, alice, bob } = await connected();
    wire.lose('dialler');
    dialled.send([MESSAGE]);
    accepted.send([MESSAGE]);
    await world.clock.advance(100_000);
    expect([alice.messages.length, bob.messages.length]).toEqual([1, 0]);
    // Its close does not get through either.
    dialled.close();
    await world.clock.advance(100_000);
    expect([alice.reasons.length, bob.reasons.length]).toEqual([1, 0]);
  });

  test('in both: a link that is dead without anybody knowing', async () => {
    const { world, wire, dialled, accepted, alice, bob } = await connected();
    dialled.send([MESSAGE]);
    await world.clock.advance(1);
    wire.lose('dialler', { inFlight: true });
    wire.lose('listener');
    accepted.send([MESSAGE]);
    await world.clock.advance(100_000);
    expect([alice.messages, bob.messages, alice.reasons, bob.reasons]).toEqual([[], [], [], []]);
  });
});

describe('bandwidth', () => {
  test('puts messages one behind the other on the line, each direction for itself', async () => {
    const { world, dialled, accepted, alice, bob } = await connected({ bytesPerSecond: 10_000 });
    const startMs = world.clock.now();
    const arrived: number[] = [];
    void (async () => {
      for (let count = 1; count <= 3; count++) {
        await bob.until(() => bob.messages.length >= count);
        arrived.push(Math.round(world.clock.now() - startMs));
      }
    })();
    for (let i = 0; i < 3; i++) dialled.send([new Uint8Array(1000)]);
    accepted.send([new Uint8Array(1000)]);
    await world.run(alice.until(() => alice.messages.length === 1));
    expect(Math.round(world.clock.now() - startMs)).toBe(110);
    await world.clock.advance(1000);
    expect(arrived).toEqual([110, 210, 310]);
  });

  test('is a matter of each path', async () => {
    const { world, dialled, bob } = await connected();
    world.network.setPath(BOB, ALICE, { latencyMs: 500, bytesPerSecond: 1000 });
    const startMs = world.clock.now();
    dialled.send([MESSAGE]);
    await world.run(bob.until(() => bob.messages.length === 1));
    expect(world.clock.now() - startMs).toBe(600);
  });
});

describe('a partition', () => {
  test('holds back what is sent between its sides, until it is over', async () => {
    const { world, dialled, bob } = await connected();
    world.network.partition([ALICE, '192.0.2.77'], [BOB], 5000);
    const startMs = world.clock.now();
    dialled.send([MESSAGE]);
    await world.run(bob.until(() => bob.messages.length === 1));
    expect(world.clock.now() - startMs).toBe(5010);
  });
});

test('a tap is told which link a message goes over', async () => {
  const { world, wire, dialled, accepted } = await connected();
  const seen: [number, string][] = [];
  world.network.tap((from, _to, _message, over) => seen.push([over.id, from.host]));
  dialled.send([MESSAGE]);
  accepted.send([MESSAGE]);
  await world.clock.run();
  expect(seen.toSorted(([, a], [, b]) => (a < b ? -1 : 1))).toEqual([
    [1, ALICE],
    [1, BOB],
  ]);
  expect([wire.id, wire.sentBytes('dialler'), wire.sentBytes('listener')]).toEqual([1, 200, 100]);
  expect([wire.sideOf(ALICE), wire.sideOf(BOB), wire.sideOf('192.0.2.77')]).toEqual(['dialler', 'listener', undefined]);
  expect([world.network.wires(ALICE).length, world.network.wires(BOB, ALICE).length, world.network.wires('192.0.2.77').length]).toEqual([
    1, 1, 0,
  ]);
});
