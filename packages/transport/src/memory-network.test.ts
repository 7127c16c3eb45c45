import type { Endpoint } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { Recorder } from './contract/index.ts';
import type { Link, Transport } from './link.ts';
import { type MemoryWire, memoryNetwork } from './memory-network.ts';
import { systemClock } from './system-clock.ts';

const clock = systemClock;
const FIRST = Uint8Array.of(1, 2, 3);
const at = (host: string, port: number): Endpoint => ({ transport: 'tcp', host, port });
const nextTicks = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise<void>((resolve) => clock.soon(resolve));
};

function twoHosts(options: Partial<Parameters<typeof memoryNetwork>[0]> = {}): {
  network: ReturnType<typeof memoryNetwork>;
  alice: Transport;
  bob: Transport;
} {
  const network = memoryNetwork({ clock, ...options });
  return { network, alice: network.transport({ host: '192.0.2.1' })({ clock }), bob: network.transport({ host: '192.0.2.2' })({ clock }) };
}

describe('a network in memory', () => {
  test('gives both sides the endpoints that TCP would', async () => {
    const { alice, bob } = twoHosts();
    const { promise, resolve } = Promise.withResolvers<Link>();
    await bob.listen!(at('192.0.2.2', 999), resolve);
    const dialled = await alice.dial(at('192.0.2.2', 999), FIRST, {});
    const accepted = await promise;
    expect(dialled.remote).toEqual(at('192.0.2.2', 999));
    expect(accepted.local).toEqual(at('192.0.2.2', 999));
    expect(accepted.remote).toEqual(dialled.local);
    expect(accepted.remote.host).toBe('192.0.2.1');
    expect(accepted.remote.port).toBeGreaterThanOrEqual(49_152);
    expect(dialled.info).toEqual({ kind: 'direct', nesting: 0, carriers: [] });
  });

  test('knows tcp endpoints only', async () => {
    const { alice } = twoHosts();
    expect(alice.handles(at('192.0.2.2', 1))).toBe(true);
    expect(alice.handles({ ...at('192.0.2.2', 1), transport: 'ws' })).toBe(false);
    await expect(alice.dial({ ...at('192.0.2.2', 1), transport: 'ws' }, FIRST, {})).rejects.toMatchObject({
      code: 'transport.dial-failed',
    });
  });

  test('refuses a dial to where nobody listens, naming it', async () => {
    const { alice, bob } = twoHosts();
    const listener = await bob.listen!(at('192.0.2.2', 999), () => {});
    await listener.close();
    await expect(alice.dial(at('192.0.2.2', 999), FIRST, {})).rejects.toMatchObject({
      code: 'transport.dial-failed',
      message: expect.stringContaining('192.0.2.2:999'),
    });
  });

  test('lets a dial be given up', async () => {
    const { alice } = twoHosts();
    await expect(alice.dial(at('192.0.2.2', 999), FIRST, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    const controller = new AbortController();
    const dial = alice.dial(at('192.0.2.2', 999), FIRST, { signal: controller.signal });
    controller.abort();
    await expect(dial).rejects.toMatchObject({ code: 'aborted' });
  });

  test('listens on the own host only, once per port, and finds a free port', async () => {
    const { bob } = twoHosts();
    await expect(bob.listen!(at('192.0.2.1', 1), () => {})).rejects.toMatchObject({ code: 'transport.listen-failed' });
    const first = await bob.listen!(at('0.0.0.0', 0), () => {});
    const second = await bob.listen!(at('192.0.2.2', 0), () => {});
    expect(first.endpoint.host).toBe('192.0.2.2');
    expect(first.endpoint.port).not.toBe(second.endpoint.port);
    await expect(bob.listen!(first.endpoint, () => {})).rejects.toMatchObject({
      code: 'transport.listen-failed',
      message: expect.stringContaining(`192.0.2.2:${first.endpoint.port}`),
    });
  });

  test('breaks the links it is told to, for both sides', async () => {
    const { network, alice, bob } = twoHosts();
    const owners = [new Recorder(), new Recorder()] as const;
    await bob.listen!(at('192.0.2.2', 999), (link) => link.attach(owners[1]));
    const dialled = await alice.dial(at('192.0.2.2', 999), FIRST, {});
    dialled.attach(owners[0]);
    await nextTicks();
    expect(network.breakLinks((dialler) => dialler === '192.0.2.9')).toBe(0);
    expect(network.breakLinks((dialler, listener) => dialler === '192.0.2.1' && listener === '192.0.2.2')).toBe(1);
    expect(dialled.send([FIRST])).toBe(false);
    await nextTicks();
    expect(owners.map(({ reasons }) => reasons.map(({ code }) => code))).toEqual([['transport.closed'], ['transport.closed']]);
    expect(network.breakLinks(() => true)).toBe(0);
  });

  test('shows every message to its observer, who may change it', async () => {
    const seen: number[] = [];
    const { alice, bob } = twoHosts({
      observe: (_from, _to, message) => {
        seen.push(message.length);
        message[0] = 9;
      },
    });
    const owner = new Recorder();
    await bob.listen!(at('192.0.2.2', 999), (link, first) => {
      expect([...first]).toEqual([9, 2, 3]);
      link.attach(owner);
    });
    const link = await alice.dial(at('192.0.2.2', 999), FIRST, {});
    const sent = Uint8Array.of(4, 5);
    link.send([sent]);
    await owner.until(() => owner.messages.length === 1);
    expect([...(owner.messages[0] as Uint8Array)]).toEqual([9, 5]);
    expect([...sent]).toEqual([4, 5]);
    expect([...FIRST]).toEqual([1, 2, 3]);
    expect(seen).toEqual([3, 2]);
  });

  test('hands each link to whoever owns the cable, and it fails for each side on its own', async () => {
    const wires: MemoryWire[] = [];
    const ended: MemoryWire[] = [];
    const delivered: number[] = [];
    const { alice, bob } = twoHosts({
      opened: (wire) => wires.push(wire),
      ended: (wire) => ended.push(wire),
      delivered: (from, _to, message) => delivered.push(from === wires[0]?.dialler ? message.length : -message.length),
    });
    const owners = [new Recorder(), new Recorder()] as const;
    await bob.listen!(at('192.0.2.2', 999), (link) => {
      link.attach(owners[1]);
      link.send([new Uint8Array(7)]);
    });
    const dialled = await alice.dial(at('192.0.2.2', 999), FIRST, {});
    dialled.attach(owners[0]);
    const wire = wires[0] as MemoryWire;
    expect([wire.dialler, wire.listener]).toEqual([dialled.local, dialled.remote]);
    await owners[0].until(() => owners[0].messages.length === 1);
    expect(delivered).toEqual([3, -7]);

    // What the dialler sends is lost, and only the dialler is told of the end.
    wire.lose('dialler', true);
    dialled.send([FIRST]);
    await nextTicks();
    wire.break('dialler');
    await nextTicks();
    expect(owners.map(({ reasons }) => reasons.map(({ code }) => code))).toEqual([['transport.closed'], []]);
    expect([owners[1].messages, ended]).toEqual([[], []]);

    // Whoever owned the other end is gone itself.
    wire.break('listener', { silent: true });
    await nextTicks();
    expect(owners[1].reasons).toEqual([]);
    expect(ended).toEqual([wire]);
  });

  test('a link that breaks before its first message is there is accepted by nobody', async () => {
    for (const end of ['lost', 'broken'] as const) {
      let accepted = 0;
      const { alice, bob } = twoHosts({
        opened: (wire) => {
          if (end === 'lost') wire.lose('dialler', true);
          else wire.break('listener');
        },
      });
      await bob.listen!(at('192.0.2.2', 999), () => accepted++);
      await alice.dial(at('192.0.2.2', 999), FIRST, {});
      await nextTicks();
      expect(accepted).toBe(0);
    }
  });

  test('asks how long a message travels with its length', async () => {
    const lengths: number[] = [];
    const { alice, bob } = twoHosts({
      delayMs: (_from, _to, length) => {
        lengths.push(length);
        return 0;
      },
    });
    const owner = new Recorder();
    await bob.listen!(at('192.0.2.2', 999), (link) => link.attach(owner));
    const link = await alice.dial(at('192.0.2.2', 999), FIRST, {});
    link.send([new Uint8Array(5), new Uint8Array(6)]);
    await owner.until(() => owner.messages.length === 1);
    // Two steps to connect, the first message, and one more.
    expect(lengths).toEqual([0, 0, 3, 11]);
  });
});
