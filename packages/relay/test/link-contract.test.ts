import { type LinkContractSubject, behindFirstMessage, linkContract, withoutSends } from '@matryoshka/transport/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RelayWorld, holdings, nothing, openLink, row, someRequest } from './relay-world.ts';

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
      const padded = someRequest();
      const at = padded.length - first.length;
      padded.set(first, at);
      const { near, far, first: got } = await openLink(net, padded);
      return { dialled: await net.world.run(behindFirstMessage(near)), accepted: withoutSends(far, 1), first: got.slice(at) };
    },
  };

  test.each(linkContract)('$name', ({ run }) => run(subject));
});
