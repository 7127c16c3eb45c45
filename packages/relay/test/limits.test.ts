import { Recorder } from '@matryoshka/transport/contract';
import { MatryoshkaError, type RelayLimits } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { DEFAULT_RELAY_LIMITS, type RelayLimitSettings } from '../src/index.ts';
import { type OpenedLink, Party, type RelayWorld, holdings, nothing, openLink, row } from './relay-world.ts';

type Levels = { readonly [Level in 'link' | 'peer' | 'node']?: Partial<RelayLimitSettings[Level]> };

function limits({ link, node, peer }: Levels, periodMs: number = DEFAULT_RELAY_LIMITS.periodMs): RelayLimitSettings {
  const { link: l, node: n, peer: p } = DEFAULT_RELAY_LIMITS;
  return { link: { ...l, ...link }, peer: { ...p, ...peer }, node: { ...n, ...node }, periodMs };
}

/** A row of which the relays have these limits, the first relay first. */
function limited(seed: number, ...relays: readonly RelayLimitSettings[]): Promise<RelayWorld> {
  return row(relays.length + 2, seed, [{}, ...relays.map((each) => ({ limits: each })), {}]);
}

/** Both ends of a link, with owners. */
function owned({ near, far }: OpenedLink): { readonly link: OpenedLink['near']; readonly owner: Recorder; readonly reader: Recorder } {
  const [owner, reader] = [new Recorder(), new Recorder()];
  near.attach(owner);
  far.attach(reader);
  return { link: near, owner, reader };
}

const bytesOf = (messages: readonly Uint8Array[]): number => messages.reduce((sum, { length }) => sum + length, 0);

async function refused({ world, parties }: RelayWorld): Promise<MatryoshkaError> {
  const [a, b] = parties as [Party, Party];
  return world.run(
    a.open(b, parties.at(-1) as Party, parties.length - 1).then(
      () => new MatryoshkaError('bug', 'it was not refused'),
      (error: MatryoshkaError) => error,
    ),
  );
}

describe('R16 rates', () => {
  test('a link is slowed down to its rate, both directions together, and nothing is lost', async () => {
    const net = await limited(1, limits({ link: { bytesPerSecond: 100_000 } }));
    const { link, owner, reader } = owned(await openLink(net));
    const from = net.world.clock.now();
    for (let i = 0; i < 100; i++) link.send([new Uint8Array(10_000).fill(i)]);
    await net.world.clock.advance(5000);
    expect(bytesOf(reader.messages)).toBeGreaterThan(450_000);
    expect(bytesOf(reader.messages)).toBeLessThanOrEqual(600_000);
    await net.world.run(reader.until(({ messages }) => messages.length === 100));
    const seconds = (net.world.clock.now() - from) / 1000;
    expect(seconds).toBeGreaterThan(9);
    expect(seconds).toBeLessThan(10.5);
    expect(reader.messages.map(([first]) => first)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(owner.reasons).toEqual([]);
  });

  test('links of one peer share its rate fairly, whatever their messages; another peer has its own', async () => {
    const net = await limited(2, limits({ peer: { bytesPerSecond: 200_000 } }));
    const [, b, c] = net.parties as [Party, Party, Party];
    const other = new Party(net.world, '10.60.0.1', 60);
    await other.listen();
    await net.world.run(other.dial(b.endpoint));
    await net.world.clock.advance(100);
    const links = [];
    // oxlint-disable-next-line no-await-in-loop
    for (let i = 0; i < 4; i++) links.push(owned(await openLink(net)));
    const own = owned(await openLink({ world: net.world, parties: [other, b, c] }));
    const lengths = [60_000, 1000, 20_000, 3000];
    for (const [i, { link }] of links.entries())
      for (let sent = 0; sent < 2_000_000; sent += lengths[i] as number) link.send([new Uint8Array(lengths[i] as number)]);
    for (let i = 0; i < 40; i++) own.link.send([new Uint8Array(10_000)]);
    await net.world.clock.advance(20_000);
    const shares = links.map(({ reader }) => bytesOf(reader.messages));
    expect(shares.reduce((sum, each) => sum + each)).toBeLessThanOrEqual(4_100_000 + 65_536);
    const index = shares.reduce((sum, each) => sum + each) ** 2 / (4 * shares.reduce((sum, each) => sum + each ** 2, 0));
    expect(index).toBeGreaterThan(0.95);
    expect(bytesOf(own.reader.messages)).toBe(400_000);
  });

  test('are changed while links wait for their turns', async () => {
    const net = await limited(3, limits({ node: { bytesPerSecond: 10_000 } }));
    const { link, reader } = owned(await openLink(net));
    for (let i = 0; i < 50; i++) link.send([new Uint8Array(10_000)]);
    await net.world.clock.advance(2000);
    expect(bytesOf(reader.messages)).toBeLessThan(100_000);
    net.parties[1]?.relay.updateLimits(DEFAULT_RELAY_LIMITS);
    await net.world.clock.advance(500);
    expect(reader.messages.length).toBe(50);
  });

  test('a link that closes while it waits for its turn gives that to others, and is over once all is sent', async () => {
    const net = await limited(4, limits({ node: { bytesPerSecond: 50_000 } }));
    const [first, second] = [owned(await openLink(net)), owned(await openLink(net))];
    for (let i = 0; i < 20; i++) first.link.send([new Uint8Array(10_000)]);
    for (let i = 0; i < 5; i++) second.link.send([new Uint8Array(10_000)]);
    first.link.close();
    await net.world.clock.advance(6000);
    expect([first.reader.messages.length, second.reader.messages.length]).toEqual([20, 5]);
    expect(first.reader.reasons.map(({ code }) => code)).toEqual(['closed']);
  });
});

describe('R16 bytes in all', () => {
  test('a link ends with `relay.limit` at both ends, after what it may have passed on', async () => {
    const net = await limited(10, limits({ link: { maxBytes: 100_000 } }));
    const { link, owner, reader } = owned(await openLink(net));
    for (let i = 0; i < 20; i++) link.send([new Uint8Array(10_000)]);
    await net.world.clock.advance(1000);
    expect([owner.reasons, reader.reasons].map((reasons) => reasons.map(({ code }) => code))).toEqual([['relay.limit'], ['relay.limit']]);
    expect(bytesOf(reader.messages)).toBe(100_000);
    expect(holdings(net.parties)).toEqual(nothing(net.parties));
    // The next one begins anew.
    await openLink(net);
  });

  test('a peer that has used up its bytes is refused, with the time until there are more; others are not', async () => {
    const net = await limited(11, limits({ peer: { maxBytes: 50_000 } }, 60_000));
    const { link, owner } = owned(await openLink(net));
    for (let i = 0; i < 5; i++) link.send([new Uint8Array(10_000)]);
    await net.world.clock.advance(10_000);
    expect(owner.reasons).toEqual([]);
    const error = await refused(net);
    expect(error.code).toBe('relay.limit');
    expect(error.retryAfterMs).toBeGreaterThan(45_000);
    expect(error.retryAfterMs).toBeLessThanOrEqual(50_000);
    link.send([new Uint8Array(1)]);
    await net.world.clock.advance(100);
    expect(owner.reasons.map(({ code }) => code)).toEqual(['relay.limit']);
    await net.world.clock.advance(50_000);
    await openLink(net);
  });
});

describe('R16 ages and numbers', () => {
  test('a link that is too old ends with `relay.limit` at both ends', async () => {
    const net = await limited(20, limits({ link: { maxAgeMs: 60_000 } }), limits({ peer: { maxAgeMs: 20_000 } }));
    const { owner, reader } = owned(await openLink(net));
    await net.world.clock.advance(19_900);
    expect(owner.reasons).toEqual([]);
    await net.world.clock.advance(200);
    expect([...owner.reasons, ...reader.reasons].map(({ code }) => code)).toEqual(['relay.limit', 'relay.limit']);
    expect(holdings(net.parties)).toEqual(nothing(net.parties));
  });

  test('another age counts for links that are open, from when they were opened', async () => {
    const net = await limited(21, limits({}));
    const { owner } = owned(await openLink(net));
    await net.world.clock.advance(10_000);
    net.parties[1]?.relay.updateLimits(limits({ node: { maxAgeMs: 15_000 } }));
    await net.world.clock.advance(4000);
    expect(owner.reasons).toEqual([]);
    await net.world.clock.advance(2000);
    expect(owner.reasons.map(({ code }) => code)).toEqual(['relay.limit']);
  });

  test.each([
    ['of a peer', { peer: { links: 2 } }],
    ['of the node', { node: { links: 2 } }],
  ])('the number %s', async (_whose, levels) => {
    const net = await limited(22, limits(levels));
    const { near } = await openLink(net);
    await openLink(net);
    expect(await refused(net)).toMatchObject({ code: 'relay.busy', retryAfterMs: 1000 });
    near.close();
    await net.world.clock.advance(100);
    await openLink(net);
  });
});

describe('R16 the requester is told', () => {
  const told: RelayLimits = { bytesPerSecond: 50_000, maxBytes: 1_000_000, maxAgeMs: 60_000 };
  const relays = [
    limits({ link: { bytesPerSecond: 80_000, maxBytes: 1_000_000 }, node: { bytesPerSecond: 50_000 } }),
    limits({ peer: { maxBytes: 2_000_000, maxAgeMs: 60_000 } }),
  ];

  test('the strictest of the whole path when its link is accepted', async () => {
    const net = await limited(30, ...relays);
    const { near } = await openLink(net);
    expect(near.info.limits).toEqual(told);
  });

  test('as much as was asked when it is refused', async () => {
    const net = await limited(31, ...relays);
    net.parties[3]?.relay.setEnabled(false);
    expect(await refused(net)).toMatchObject({ code: 'relay.disabled', limits: told });
    net.parties[1]?.relay.setEnabled(false);
    expect((await refused(net)).limits).toEqual({ bytesPerSecond: 50_000, maxBytes: 1_000_000, maxAgeMs: 0 });
  });
});
