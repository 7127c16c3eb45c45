import { createIdentity, portableProvider } from '@matryoshka/session';
import { describe, expect, test } from 'vitest';
import { serviceOf } from './destinations.ts';

const { peerId } = createIdentity(portableProvider, { fill: (bytes) => void bytes.fill(7) });

describe('what a client of the proxy names', () => {
  test('<service>.<peer id> is a service of a peer, in any case and with the dot of the root', () => {
    expect(serviceOf(`web.${peerId}`)).toEqual({ service: 'web', peer: peerId });
    expect(serviceOf(`WEB.${peerId.toUpperCase()}.`)).toEqual({ service: 'web', peer: peerId });
  });

  test.each(['example.com', 'mtk1.example.com', '192.0.2.1', '2001:db8::1', peerId])('%s is an ordinary host', (host) => {
    expect(serviceOf(host)).toBeUndefined();
  });

  test('a peer id that was mistyped is no ordinary host', () => {
    const wrong = `web.${peerId.slice(0, -1)}${peerId.endsWith('q') ? 'p' : 'q'}`;
    expect(() => serviceOf(wrong)).toThrow(expect.objectContaining({ code: 'socks.destination' }));
  });
});
