import type { Link } from '@matryoshka/transport';
import { Recorder } from '@matryoshka/transport/contract';
import type { Endpoint } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import type { Machine } from './machine.ts';
import { type World, createWorld } from './world.ts';

const FIRST = Uint8Array.of(1, 2, 3);
const at = (host: string): Endpoint => ({ transport: 'tcp', host, port: 999 });

/** Boots a machine that listens; the links it accepts have an owner. */
async function serving(world: World, address: string): Promise<{ readonly machine: Machine; readonly owners: Recorder[] }> {
  const machine = world.boot(address);
  const owners: Recorder[] = [];
  const accept = (link: Link): void => {
    const owner = new Recorder();
    owners.push(owner);
    link.attach(owner);
  };
  await world.run(machine.transport({ clock: machine.clock }).listen!(at(address), accept));
  return { machine, owners };
}

function dial(world: World, from: Machine, to: string): Promise<Link> {
  return world.run(from.transport({ clock: from.clock }).dial(at(to), FIRST, {}));
}

describe('a machine', () => {
  test('that crashes: its timers never fire, nobody tells it anything, its neighbours are told', async () => {
    const world = createWorld({ seed: 1, latencyMs: 10 });
    const { machine: bob, owners } = await serving(world, '10.2.0.1');
    const alice = world.boot('10.1.0.1');
    const link = await dial(world, alice, '10.2.0.1');
    const owner = new Recorder();
    link.attach(owner);
    await world.clock.advance(100);
    const fired: string[] = [];
    bob.clock.after(50, () => fired.push('timer'));
    bob.clock.soon(() => fired.push('soon'));
    bob.crash({ toldMs: 200 });
    bob.crash();
    bob.clock.after(1, () => fired.push('later timer'));
    expect(bob.crashed).toBe(true);
    await world.clock.advance(199);
    expect(owner.reasons).toEqual([]);
    await world.clock.advance(1);
    expect(owner.reasons.map(({ code }) => code)).toEqual(['transport.closed']);
    expect(fired).toEqual([]);
    expect(owners.map(({ reasons }) => reasons)).toEqual([[]]);
  });

  test('that crashes may leave its neighbours without any word', async () => {
    const world = createWorld({ seed: 1, latencyMs: 10 });
    const { machine: bob } = await serving(world, '10.2.0.1');
    const alice = world.boot('10.1.0.1');
    const owner = new Recorder();
    (await dial(world, alice, '10.2.0.1')).attach(owner);
    await world.clock.advance(100);
    bob.crash({ toldMs: Number.POSITIVE_INFINITY });
    await world.clock.advance(1_000_000);
    expect(owner.reasons).toEqual([]);
    // Whose own crash is nothing it hears of either.
    alice.crash();
    await world.clock.advance(1000);
    expect(owner.reasons).toEqual([]);
    expect(world.network.wires()).toEqual([]);
  });

  test('does not dial or listen any more, and what it waits for never comes', async () => {
    const world = createWorld({ seed: 1, latencyMs: 10 });
    await serving(world, '10.2.0.1');
    const alice = world.boot('10.1.0.1');
    const transport = alice.transport({ clock: alice.clock });
    const settled: string[] = [];
    const note = (promise: Promise<unknown>): void => {
      const settle = (): void => void settled.push('settled');
      promise.then(settle, settle);
    };
    note(transport.dial(at('10.2.0.1'), FIRST, {}));
    await world.clock.advance(5);
    alice.crash();
    note(transport.dial(at('10.2.0.1'), FIRST, {}));
    note(transport.listen!(at('10.1.0.1'), () => {}));
    await world.clock.advance(100_000);
    expect(settled).toEqual([]);
  });

  test('boots again as a new one', async () => {
    const world = createWorld({ seed: 1, latencyMs: 10 });
    const { machine: before } = await serving(world, '10.2.0.1');
    before.crash();
    const alice = world.boot('10.1.0.1');
    await expect(dial(world, alice, '10.2.0.1')).rejects.toMatchObject({ code: 'transport.dial-failed' });
    const { machine: after, owners } = await serving(world, '10.2.0.1');
    await dial(world, alice, '10.2.0.1');
    await world.clock.advance(100);
    expect(owners.length).toBe(1);
    const draws = [before, after].map(({ random }) => {
      const bytes = new Uint8Array(8);
      random.fill(bytes);
      return bytes;
    });
    expect(draws[0]).not.toEqual(draws[1]);
  });

  test('gives up a dial when asked to', async () => {
    const world = createWorld({ seed: 1, latencyMs: 10 });
    await serving(world, '10.2.0.1');
    const alice = world.boot('10.1.0.1');
    const controller = new AbortController();
    const dialling = alice.transport({ clock: alice.clock }).dial(at('10.2.0.1'), FIRST, { signal: controller.signal });
    controller.abort();
    await expect(world.run(dialling)).rejects.toMatchObject({ code: 'aborted' });
  });
});
