import { randomBetween } from '@matryoshka/session';
import { seededRandom, simulatedProvider } from '@matryoshka/simulation';
import type { TransportFactory } from '@matryoshka/transport';
import { describe, expect, test } from 'vitest';
import type { Connection } from '../src/index.ts';
import { TestNetwork } from './network.ts';

const provider = simulatedProvider();

/** Sends `length` bytes over a stream of `connection` to `/sink/1` of node `to`, and returns how it ended. */
async function transfer(
  net: TestNetwork,
  connection: Connection,
  to: string,
  length: number,
): Promise<{ readonly received: number; readonly errors: number }> {
  let received = 0;
  let errors = 0;
  let wrong = 0;
  const done = Promise.withResolvers<void>();
  const stop = net.node(to).serve('/sink/1', (stream) => {
    stream.attach({
      data: (bytes) => {
        for (const byte of bytes) if (byte !== (received++ * 31) % 251) wrong++;
      },
      end: () => stream.end(),
      closed: () => done.resolve(),
    });
  });
  const stream = await net.run(connection.openStream('/sink/1'));
  let sent = 0;
  const chunk = new Uint8Array(20_000);
  const pump = (): void => {
    while (sent < length) {
      const size = Math.min(chunk.length, length - sent);
      for (let i = 0; i < size; i++) chunk[i] = ((sent + i) * 31) % 251;
      sent += size;
      if (!stream.write(chunk.subarray(0, size))) return;
    }
    stream.end();
  };
  stream.attach({ writable: pump, closed: (error) => void (error && errors++) });
  pump();
  await net.run(done.promise);
  stop();
  return { received: wrong === 0 ? received : -wrong, errors };
}

/** A transport of `ws` endpoints that goes where `factory` goes. */
function likeWebSocket(factory: TransportFactory): TransportFactory {
  return (context) => {
    const inner = factory(context);
    return {
      name: 'like-websocket',
      handles: ({ transport }) => transport === 'ws',
      dial: (to, first, options) => inner.dial({ ...to, transport: 'tcp' }, first, options),
      listen: async (on, accept) => {
        if (inner.listen === undefined) throw new TypeError('it does not listen');
        const { close, endpoint } = await inner.listen({ ...on, transport: 'tcp' }, accept);
        return { close, endpoint: { ...endpoint, transport: 'ws' } };
      },
    };
  };
}

describe('a connection outlives its links (docs/protocol.md §5)', () => {
  test.each([1, 2, 3, 4, 5])('seed %i: a direct one whose link is cut again and again loses and repeats nothing', async (seed) => {
    const net = new TestNetwork(seed, { provider, latencyMs: 3 });
    await net.startAll(['A', 'B']);
    const connection = await net.run(net.node('A').connect(net.address('B')));
    const events = eventsOf(net, 'A', 'B');
    const random = seededRandom(seed);
    let cuts = 0;
    const cut = (): void => {
      if (cuts++ === 30) return;
      net.world.network.cut(net.host('A'), net.host('B'));
      net.world.clock.after(randomBetween(random, 1, 60), cut);
    };
    net.world.clock.after(randomBetween(random, 1, 10), cut);
    await expect(transfer(net, connection, 'B', 8_000_000)).resolves.toEqual({ received: 8_000_000, errors: 0 });
    expect(events.length).toBeGreaterThan(0);
    expect(connection.open).toBe(true);
  });

  test('a peer that is known in two places, over TCP and WebSocket, is found again in the other one, and back', async () => {
    const net = new TestNetwork(7, { provider, latencyMs: 3 });
    const [a, raw, web] = ['10.1.0.1', '10.2.0.1', '10.3.0.1'];
    const host = (address: string): TransportFactory => net.world.network.host(address);
    const b = await net.start('B', raw, { transports: [host(raw), likeWebSocket(host(web))], listen: [`${raw}:999`, `ws://${web}:80`] });
    const peers = [`${b.peerId}@${raw}:999`, `${b.peerId}@ws://${web}:80`];
    await net.start('A', a, { transports: [host(a), likeWebSocket(host(a))], peers });
    const connection = await net.run(net.node('A').connect(b.peerId));
    const places = [connection.remote.host];
    net.node('A').on('resumed', () => places.push(connection.remote.host));
    for (const place of [raw, web]) net.world.network.setPath(a, place, { latencyMs: 3, bytesPerSecond: 1_000_000 });
    const move = (from: string, to: string): void => {
      net.world.network.unblock(a, to);
      net.world.network.block(a, from);
    };
    net.world.clock.after(500, () => move(raw, web));
    net.world.clock.after(2000, () => move(web, raw));
    expect(await transfer(net, connection, 'B', 3_000_000)).toEqual({ received: 3_000_000, errors: 0 });
    expect(places).toEqual([raw, web, raw]);
    await net.close();
  });

  test('a relay in the middle dies: the connection goes on over another one, through the same first relay', async () => {
    const net = new TestNetwork(11, { provider, latencyMs: 3 });
    await net.startAll(['A', 'B', 'C', 'X', 'D']);
    await net.connect('A', 'B');
    await net.connect('B', 'C', 'X');
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    const [middle] = net.events.filter(({ event, node }) => event === 'opened' && (node === 'C' || node === 'X'));
    const events = eventsOf(net, 'A', 'D');
    net.world.clock.after(40, () => void net.world.network.crash(net.host(middle?.node as string)));
    await expect(transfer(net, connection, 'D', 20_000_000)).resolves.toEqual({ received: 20_000_000, errors: 0 });
    expect(events).toContain('A relayed resumed');
    expect(events).toContain('D relayed resumed');
    await net.run(connection.close());
    // Until B gives up the relay that is gone.
    await net.settle(60_000);
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });

  test.each([
    ['A', 'B'],
    ['B', 'C'],
    ['C', 'D'],
    ['D', 'E'],
  ])('telescoped over four hops, the link from %s to %s is cut: only the session over it resumes, all others stall', async (a, b) => {
    const net = new TestNetwork(12, { provider, latencyMs: 3 });
    await net.startAll(['A', 'B', 'C', 'D', 'E']);
    const connection = await net.run(
      net.node('A').connect(net.address('E'), { path: [net.address('B'), net.address('C'), net.address('D')] }),
    );
    await net.settle();
    const events = eventsOf(net, ...net.names);
    net.world.clock.after(20, () => void net.world.network.cut(net.host(a), net.host(b)));
    await expect(transfer(net, connection, 'E', 5_000_000)).resolves.toEqual({ received: 5_000_000, errors: 0 });
    expect(events.toSorted()).toEqual([`${a} direct resumed`, `${a} direct suspended`, `${b} direct resumed`, `${b} direct suspended`]);
    await net.run(connection.close());
    await net.close();
  });
});

/** What happens to the connections of these nodes, from now on. */
function eventsOf(net: TestNetwork, ...names: readonly string[]): string[] {
  const events: string[] = [];
  for (const name of names) {
    net.node(name).on('suspended', ({ connection }) => events.push(`${name} ${connection.kind} suspended`));
    net.node(name).on('resumed', ({ connection }) => events.push(`${name} ${connection.kind} resumed`));
  }
  return events;
}
