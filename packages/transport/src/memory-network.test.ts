import type { Endpoint } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { Recorder } from './contract/index.ts';
import type { Link, Transport } from './link.ts';
import { memoryNetwork } from './memory-network.ts';
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
});
