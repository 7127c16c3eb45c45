import { setTimeout as sleep } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { TransportName } from '@matryoshka/wire';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type LinkContractSubject, type LinkPair, linkContract } from '../src/contract/index.ts';
import type { Link, Listener, Transport } from '../src/link.ts';
import { systemClock } from '../src/system-clock.ts';
import { websocket } from '../src/websocket/index.node.ts';
import { websocket as platformWebSocket } from '../src/websocket/index.ts';
import { TEST_CERT, TEST_KEY } from './websocket-certificate.ts';

// The platform's WebSocket has no options: the platform itself has to trust the certificate.
const trusted = getCACertificates('default');
beforeAll(() => setDefaultCACertificates([TEST_CERT]));
afterAll(() => setDefaultCACertificates(trusted));

const node = websocket({ handshakeTimeoutMs: 300, cert: TEST_CERT, key: TEST_KEY, ca: TEST_CERT })({ clock: systemClock });
const platform = platformWebSocket()({ clock: systemClock });

describe.each<[string, TransportName, Transport]>([
  ['a WebSocket link', 'ws', node],
  ['a WebSocket link with TLS', 'wss', node],
  ["a WebSocket link dialled with the platform's WebSocket", 'ws', platform],
  ["a WebSocket link with TLS dialled with the platform's WebSocket", 'wss', platform],
])('%s', (_name, transport, dialler) => {
  let listener: Listener;
  let accepted: (pair: Omit<LinkPair, 'dialled'>) => void;

  beforeAll(async () => {
    listener = await node.listen!({ transport, host: '127.0.0.1', port: 0 }, (link: Link, first: Uint8Array) => {
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
      const dialled = await dialler.dial(listener.endpoint, first, {});
      return { dialled, ...(await arrival) };
    },
  };

  test.each(linkContract)('$name', ({ run }) => run(subject));
});
