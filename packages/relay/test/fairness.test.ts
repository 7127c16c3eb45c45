import { Recorder } from '@matryoshka/transport/contract';
import { describe, expect, test } from 'vitest';
import { type OpenedLink, type Party, type RelayWorld, openLink, row } from './relay-world.ts';

/** Jain's index: 1 where all have the same, 1/n where one has all. */
function jainIndex(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  return sum ** 2 / (shares.length * shares.reduce((total, share) => total + share ** 2, 0));
}

/** Counts what comes, and keeps none of it. */
class Counter extends Recorder {
  bytes = 0;

  override message(bytes: Uint8Array): void {
    this.bytes += bytes.length;
  }
}

/** A link that always has more to send, messages of one length. */
function busy({ near, far }: OpenedLink, length: number): Counter {
  const counter = new Counter();
  far.attach(counter);
  const parts = [new Uint8Array(length)];
  const pump = (): void => {
    while (near.send(parts));
  };
  near.attach(Object.assign(new Recorder(), { writable: pump }));
  pump();
  return counter;
}

/** A row over slow lines: what goes out has to be shared. */
async function slowRow(seed: number, bytesPerSecond: number): Promise<RelayWorld> {
  const net = await row(3, seed);
  for (const [i, { host }] of net.parties.entries())
    if (i > 0) net.world.network.setPath((net.parties[i - 1] as Party).host, host, { latencyMs: 5, bytesPerSecond });
  return net;
}

describe('R8 links share a connection', () => {
  test('fairly, whatever their messages, and those that nobody reads cost the others nothing', async () => {
    const net = await slowRow(1, 1_500_000);
    const lengths = [300, 1500, 4000, 9000, 20_000];
    const counters: Counter[] = [];
    for (let i = 0; i < 40; i++) {
      // oxlint-disable-next-line no-await-in-loop
      const link = await openLink(net);
      const stopped = i % 10 === 9;
      if (stopped) link.far.pause();
      const counter = busy(link, lengths[i % lengths.length] as number);
      if (!stopped) counters.push(counter);
    }
    await net.world.clock.advance(1000);
    const before = counters.map(({ bytes }) => bytes);
    await net.world.clock.advance(3000);
    const shares = counters.map(({ bytes }, i) => bytes - (before[i] as number));
    expect(jainIndex(shares)).toBeGreaterThan(0.95);
    // The line is as full as without those that stand still.
    expect(shares.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(0.9 * 3 * 1_500_000);
  });
});
