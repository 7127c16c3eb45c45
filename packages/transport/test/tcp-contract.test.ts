import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type LinkContractSubject, type LinkPair, behindFirstMessage, linkContract, withoutSends } from '../src/contract/index.ts';
import type { Link, Listener } from '../src/link.ts';
import { systemClock } from '../src/system-clock.ts';
import { tcp } from '../src/tcp/index.ts';
import { MASK_KEYS, contextOf } from './tcp-strangers.ts';

const transport = tcp({ handshakeTimeoutMs: 300 })(contextOf(systemClock));
let listener: Listener;
let accepted: (pair: Omit<LinkPair, 'dialled'>) => void;

beforeAll(async () => {
  listener = await transport.listen!({ transport: 'tcp', host: '127.0.0.1', port: 0 }, (link: Link, first: Uint8Array) => {
    accepted({ accepted: link, first: first.slice() });
  });
});
afterAll(() => listener.close());

const subject: LinkContractSubject = {
  // Real sockets take real time.
  idle: () => sleep(30),
  // The longest messages are for links on which the handshake is over.
  pair: async (first) => {
    const arrival = new Promise<Omit<LinkPair, 'dialled'>>((resolve) => {
      accepted = resolve;
    });
    const link = await transport.dial(listener.endpoint, first, {});
    const pair = await arrival;
    pair.accepted.send([Uint8Array.of(0)]);
    pair.accepted.protect(MASK_KEYS.backward, MASK_KEYS.forward);
    const dialled = await behindFirstMessage(link, () => link.protect(MASK_KEYS.forward, MASK_KEYS.backward));
    return { ...pair, dialled, accepted: withoutSends(pair.accepted, 1) };
  },
};

describe('a TCP link', () => {
  test.each(linkContract)('$name', ({ run }) => run(subject));
});
