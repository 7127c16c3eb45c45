import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type LinkContractSubject, type LinkPair, linkContract } from '../src/contract/index.ts';
import type { Link, Listener } from '../src/link.ts';
import { systemClock } from '../src/system-clock.ts';
import { tcp } from '../src/tcp/index.ts';

const transport = tcp({ handshakeTimeoutMs: 300 })({ clock: systemClock });
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
  pair: async (first) => {
    const arrival = new Promise<Omit<LinkPair, 'dialled'>>((resolve) => {
      accepted = resolve;
    });
    const dialled = await transport.dial(listener.endpoint, first, {});
    return { dialled, ...(await arrival) };
  },
};

describe('a TCP link', () => {
  test.each(linkContract)('$name', ({ run }) => run(subject));
});
