import type { Link, LinkHandler } from '@matryoshka/transport';
import { type LinkContractSubject, linkContract } from '@matryoshka/transport/contract';
import { HANDSHAKE_REQUEST_LENGTH } from '@matryoshka/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RelayWorld, holdings, nothing, openLink, row } from './relay-world.ts';

/** A link without its first `sends` sends, which were made before its owner got it. */
function withoutSends(link: Link, sends: number): Link {
  return {
    local: link.local,
    remote: link.remote,
    info: link.info,
    attach: (handler) =>
      link.attach({
        message: (bytes) => handler.message(bytes),
        written: (count) => {
          if (count > sends) handler.written(count - sends);
        },
        writable: () => handler.writable(),
        stalled: () => handler.stalled(),
        flowing: () => handler.flowing(),
        closed: (reason) => handler.closed(reason),
      }),
    send: (parts) => link.send(parts),
    pause: () => link.pause(),
    resume: () => link.resume(),
    close: (reason) => link.close(reason),
  };
}

/** The link behind its first message, and held back until it has an owner. */
function behindFirstMessage(link: Link): Promise<Link> {
  return new Promise((resolve, reject) => {
    const handler: LinkHandler = {
      message: () => {
        link.pause();
        const rest: Link = {
          ...withoutSends(link, 0),
          attach: (owner) => {
            link.attach(owner);
            link.resume();
          },
        };
        resolve(rest);
      },
      written: () => {},
      writable: () => {},
      stalled: () => {},
      flowing: () => {},
      closed: reject,
    };
    link.attach(handler);
  });
}

describe.each([1, 3])('a relay link over %i hops is a link like any other', (hops) => {
  let net: RelayWorld;

  beforeAll(async () => {
    net = await row(hops + 1, hops);
  });

  afterAll(async () => {
    await net.world.clock.advance(10_000);
    expect(holdings(net.parties)).toEqual(nothing(net.parties));
    expect(net.parties.every(({ sessions }) => sessions.size > 0)).toBe(true);
  });

  const subject: LinkContractSubject = {
    idle: () => net.world.clock.advance(300),
    run: (promise) => net.world.run(promise),
    // Its first two messages are those of a handshake, which have one size each.
    pair: async (first) => {
      const padded = new Uint8Array(HANDSHAKE_REQUEST_LENGTH);
      padded.set(first);
      const { near, far, first: got } = await openLink(net, padded);
      return { dialled: await net.world.run(behindFirstMessage(near)), accepted: withoutSends(far, 1), first: got.slice(0, first.length) };
    },
  };

  test.each(linkContract)('$name', ({ run }) => run(subject));
});
