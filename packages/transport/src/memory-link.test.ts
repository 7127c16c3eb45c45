import type { Endpoint } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import type { Clock } from './clock.ts';
import { type LinkContractSubject, Recorder, linkContract } from './contract/index.ts';
import { memoryLink } from './memory-link.ts';
import { memoryNetwork } from './memory-network.ts';
import { systemClock } from './system-clock.ts';

const clock = systemClock;
const settled = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => clock.soon(() => resolve(undefined)));
};

const network = memoryNetwork({ clock, handshakeTimeoutMs: 20 });
const alice = network.transport({ host: '192.0.2.1' })({ clock });
const bob = network.transport({ host: '192.0.2.2' })({ clock });
const BOB: Endpoint = { transport: 'tcp', host: '192.0.2.2', port: 0 };

const subject: LinkContractSubject = {
  idle: settled,
  pair: async (first) => {
    const { promise, resolve } = Promise.withResolvers<{ accepted: Awaited<ReturnType<typeof alice.dial>>; first: Uint8Array }>();
    const listener = await bob.listen!(BOB, (accepted, bytes) => resolve({ accepted, first: bytes.slice() }));
    const dialled = await alice.dial(listener.endpoint, first, {});
    const answer = await promise;
    await listener.close();
    return { dialled, ...answer };
  },
};

describe('a link in memory', () => {
  test.each(linkContract)('$name', ({ run }) => run(subject));

  test('closes after 30 s where the other side does not read', async () => {
    const timers: (() => void)[] = [];
    const standing: Clock = {
      now: () => 0,
      unixMs: () => 0,
      soon: (run) => clock.soon(run),
      after: (ms, run) => {
        expect(ms).toBe(30_000);
        timers.push(run);
        return { cancel() {} };
      },
    };
    const [dialled] = memoryLink({ clock: standing });
    const owner = new Recorder();
    dialled.attach(owner);
    for (let i = 0; i < 20; i++) dialled.send([new Uint8Array(60_000)]);
    dialled.close();
    await settled();
    expect(owner.reasons).toEqual([]);
    for (const run of timers) run();
    await owner.until(() => owner.reasons.length === 1);
    expect(owner.reasons[0]?.code).toBe('closed');
  });
});
