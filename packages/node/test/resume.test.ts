import { randomBetween } from '@matryoshka/session';
import { seededRandom, simulatedProvider } from '@matryoshka/simulation';
import { describe, expect, test } from 'vitest';
import type { Connection } from '../src/index.ts';
import { TestNetwork } from './network.ts';

const provider = simulatedProvider();

/** Sends `length` bytes over a stream of `connection` to `/sink/1` of node `to`, and returns how it ended. */
async function transfer(net: TestNetwork, connection: Connection, to: string, length: number): Promise<{ readonly received: number; readonly errors: number }> {
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

describe('a connection outlives its links (docs/protocol.md §5)', () => {
  test.each([1, 2, 3, 4, 5])('seed %i: a direct one whose link is cut again and again loses and repeats nothing', async (seed) => {
    const net = new TestNetwork(seed, { provider, latencyMs: 3 });
    await net.startAll(['A', 'B']);
    const connection = await net.run(net.node('A').connect(net.address('B')));
    const events: string[] = [];
    for (const name of ['A', 'B']) {
      net.node(name).on('suspended', () => events.push(`${name} suspended`));
      net.node(name).on('resumed', () => events.push(`${name} resumed`));
    }
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
});
