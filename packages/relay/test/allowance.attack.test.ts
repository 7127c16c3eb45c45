import type { Link } from '@matryoshka/transport';
import { HANDSHAKE_ANSWER_LENGTH, type Hello, type MatryoshkaError, type RelayCreate } from '@matryoshka/wire';
import { describe, expect, test, vi } from 'vitest';
import { DEFAULT_ALLOWANCE_SETTINGS, type RelayOptions, peerIdOf } from '../src/index.ts';
import { Party, type RelayWorld, holdings, nothing, openLink, row, someRequest } from './relay-world.ts';

// R14, and neighbours that do not care about it.

const DEFAULTS: Partial<RelayOptions> = { allowances: DEFAULT_ALLOWANCE_SETTINGS };

function create(destination: Party, port: bigint): RelayCreate {
  return {
    type: 'relay-create',
    port,
    hopsLeft: 1,
    attemptsLeft: 4,
    budgetMs: 10_000,
    window: 100_000,
    request: someRequest(),
    destination: destination.destination,
  };
}

/** What became of links opened one after the other; each try takes less than 50 ms. */
async function openMany(
  { world, parties }: RelayWorld,
  count: number,
): Promise<{ readonly links: Link[]; readonly errors: MatryoshkaError[] }> {
  const [a, next, ...rest] = parties as [Party, Party, ...Party[]];
  const destination = rest.at(-1) ?? next;
  const links: Link[] = [];
  const errors: MatryoshkaError[] = [];
  for (let i = 0; i < count; i++) {
    const before = destination.arrived.length;
    const opening = a.open(next, destination, parties.length - 1).then(
      (link) => links.push(link),
      (error: unknown) => errors.push(error as MatryoshkaError),
    );
    // oxlint-disable-next-line no-await-in-loop
    await world.clock.advance(20);
    if (destination.arrived.length > before) destination.arrived.at(-1)?.link.send([new Uint8Array(HANDSHAKE_ANSWER_LENGTH)]);
    // oxlint-disable-next-line no-await-in-loop
    await world.run(opening);
  }
  return { links, errors };
}

/** Answers that come to `party`. */
function answers(party: Party): { readonly status: string; readonly reason?: string; readonly retryAfterMs?: number }[] {
  const heard: ReturnType<typeof answers> = [];
  const message = party.relay.message.bind(party.relay);
  vi.spyOn(party.relay, 'message').mockImplementation((session, each) => {
    if (each.type === 'relay-status') heard.push(each);
    // To requests that no service has made.
    else message(session, each);
  });
  return heard;
}

describe('R14 a neighbour far above its allowance', () => {
  test('is refused with the time after which to come again, at once', async () => {
    const net = await row(3, 1, [{}, DEFAULTS]);
    const [a, b, c] = net.parties as [Party, Party, Party];
    const heard = answers(a);
    for (let i = 1; i <= 30; i++) a.send(b, create(c, BigInt(i)));
    await net.world.clock.advance(100);
    const refused = heard.filter(({ status }) => status === 'refused');
    expect(refused).toHaveLength(20);
    expect(new Set(refused.map(({ reason }) => reason))).toEqual(new Set(['relay.rate-limited']));
    for (const { retryAfterMs } of refused) expect(retryAfterMs).toBeGreaterThan(900);
    expect([c.arrived.length, b.refused.length, new Set(b.refused)]).toEqual([10, 20, new Set(['relay-requests'])]);
    // No penalty by itself.
    expect(b.relay.reputations.of(b.to(a))).toBe(100);
    await net.world.clock.advance(refused.at(-1)?.retryAfterMs ?? 0);
    a.send(b, create(c, 99n));
    await net.world.clock.advance(100);
    expect(c.arrived).toHaveLength(11);
  });

  test('that goes on and on loses its reputation, then its session; others keep theirs, and what they have open', async () => {
    const net = await row(3, 2, [{}, DEFAULTS]);
    const [a, b, c] = net.parties as [Party, Party, Party];
    // The honest one is in another network, and has a link through the same relay.
    const honest = new Party(net.world, '10.9.0.1', 999);
    await honest.listen();
    await net.world.run(honest.dial(b.endpoint));
    await net.world.clock.advance(100);
    const beside: RelayWorld = { world: net.world, parties: [honest, b, c] };
    const { near } = await openLink(beside);
    const closed = a.to(b).closed;
    const spoiled = b.to(a);
    for (let i = 1; i <= 5000; i++) {
      a.sessions.forEach((session) => session.send(create(c, BigInt(i))));
      // oxlint-disable-next-line no-await-in-loop
      if (i % 50 === 0) await net.world.clock.advance(5);
    }
    await expect(net.world.run(closed)).resolves.toMatchObject({ code: 'session.refused' });
    expect(b.relay.reputations.of(spoiled)).toBeLessThan(10);
    expect([...b.sessions].map((session) => peerIdOf(session))).not.toContain(a.environment.identity.peerId);
    // Nobody keeps anything of it but the honest link.
    await net.world.clock.advance(40_000);
    expect(holdings([b])[0]).toMatchObject({ linkEnds: 2, served: 1 });
    const again = await openLink(beside);
    for (const link of [near, again.near]) link.close();
    await net.world.clock.advance(100);
    expect(holdings([honest, b, c])).toEqual(nothing([honest, b, c]));
  });

  test('loses all of its own connections, not only the one it misbehaved on; nobody loses any for it', async () => {
    const net = await row(3, 12);
    const [a, b, c] = net.parties as [Party, Party, Party];
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const)
      await net.world.run(from.dial(to.endpoint));
    await net.world.clock.advance(100);
    expect(b.sessions.size).toBe(4);
    for (let i = 1; i <= 95; i++) a.send(b, { type: 'relay-data', port: BigInt(i), more: false, bytes: Uint8Array.of(1) });
    await net.world.clock.advance(200);
    expect([...b.sessions].map((session) => peerIdOf(session))).toEqual([c.environment.identity.peerId]);
    expect(a.sessions.size).toBe(0);
  });

  test('links have a bound: closing one makes room for another', async () => {
    const few = { requestsPerSecond: 0, burst: 0, handshakes: 0, links: 3 };
    const net = await row(2, 3, [{}, { allowances: { ...DEFAULT_ALLOWANCE_SETTINGS, unknown: few } }]);
    const { links, errors } = await openMany(net, 4);
    expect([links.length, errors.map(({ code }) => code)]).toEqual([3, ['relay.rate-limited']]);
    links[0]?.close();
    await net.world.clock.advance(100);
    expect((await openMany(net, 1)).links).toHaveLength(1);
  });
});

describe('R14 who keeps to what others announce', () => {
  test('an originator asks no more than its gateway allows, and says for how long', async () => {
    const net = await row(2, 4, [{}, DEFAULTS]);
    const { links, errors } = await openMany(net, 12);
    expect([links.length, errors.map(({ code }) => code)]).toEqual([10, ['relay.rate-limited', 'relay.rate-limited']]);
    expect(errors[0]?.retryAfterMs).toBeGreaterThan(0);
    // It has not even asked.
    expect(net.parties[1]?.refused).toEqual([]);
    await net.world.clock.advance((errors[1]?.retryAfterMs ?? 0) + 1);
    expect((await openMany(net, 1)).links).toHaveLength(1);
  });

  test('a relay keeps within what the next hop allows, and refuses relay.busy upstream', async () => {
    const net = await row(3, 5, [{}, {}, DEFAULTS]);
    const { links, errors } = await openMany(net, 12);
    expect([links.length, errors.map(({ code }) => code)]).toEqual([10, ['relay.busy', 'relay.busy']]);
    expect(errors[0]?.retryAfterMs).toBeGreaterThan(0);
    expect(net.parties[2]?.refused).toEqual([]);
    for (const link of links) link.close();
    await net.world.clock.advance(100);
    expect(holdings(net.parties)).toEqual(nothing(net.parties));
  });

  test('a next hop that refuses more than it announced is this relay’s affair: relay.busy upstream, too', async () => {
    const net = await row(3, 6, [{}, {}, DEFAULTS]);
    const [a, b, c] = net.parties as [Party, Party, Party];
    const generous: Hello = {
      type: 'hello',
      relaying: true,
      allowance: { requestsPerSecond: 0, burst: 0, handshakes: 0, links: 0 },
      listening: [],
    };
    for (const session of c.sessions) session.send(generous);
    await net.world.clock.advance(100);
    const { links, errors } = await openMany(net, 11);
    expect([links.length, errors.map(({ code }) => code), c.refused]).toEqual([10, ['relay.busy'], ['relay-requests']]);
    expect([b.relay.reputations.of(b.to(a)), c.relay.reputations.of(c.to(b))]).toEqual([100, 100]);
  });

  test('where a next hop has no room left another one is chosen', async () => {
    const net = await row(2, 7, [{}, {}]);
    const { world } = net;
    const [a, b] = net.parties as [Party, Party];
    const few = { requestsPerSecond: 1, burst: 2, handshakes: 0, links: 0 };
    const [c, d, far] = ['10.11.0.1', '10.12.0.1', '10.13.0.1'].map(
      (host, i) => new Party(world, host, 790 + i, i === 0 ? { allowances: { ...DEFAULT_ALLOWANCE_SETTINGS, unknown: few } } : {}),
    ) as [Party, Party, Party];
    for (const party of [c, d, far]) {
      // oxlint-disable-next-line no-await-in-loop
      await party.listen();
      // oxlint-disable-next-line no-await-in-loop
      if (party !== far) await world.run(b.dial(party.endpoint));
    }
    await world.clock.advance(100);
    for (let i = 0; i < 12; i++) {
      const opening = a.relay.open({ gateway: a.to(b), destination: far.destination, remote: far.endpoint, hops: 3 }, someRequest());
      opening.catch(() => {});
      // oxlint-disable-next-line no-await-in-loop
      await world.clock.advance(20);
    }
    await world.clock.advance(200);
    expect([far.arrived.length, c.refused, [...c.relay.served].length, [...d.relay.served].length]).toEqual([12, [], 2, 10]);
  });
});

describe('principle 6: nobody is blamed for another’s deed', () => {
  test('what is malformed costs whoever sent it on its own session', async () => {
    const net = await row(2, 8);
    const [a, b] = net.parties as [Party, Party];
    a.send(b, { type: 'acknowledge', delivered: 1_000_000 });
    const spoiled = b.to(a);
    await net.world.clock.advance(100);
    expect([spoiled.sending, Math.floor(b.relay.reputations.of(spoiled))]).toEqual([false, 60]);
    // Its own view of B is what it was: B’s goodbye says the same reason, and is no deed of B’s.
    expect(a.relay.reputations.peers).toEqual([]);
  });

  test('ports that lead nowhere cost their sender a little each', async () => {
    const net = await row(2, 9);
    const [a, b] = net.parties as [Party, Party];
    for (let i = 1; i <= 30; i++) a.send(b, { type: 'relay-data', port: BigInt(i), more: false, bytes: Uint8Array.of(1) });
    await net.world.clock.advance(100);
    expect(b.relay.reputations.of(b.to(a))).toBeCloseTo(70, 0);
  });

  test('what an originator does to its destination costs the relays on the way nothing', async () => {
    const net = await row(3, 10);
    const [, b, c] = net.parties as [Party, Party, Party];
    const { near, far } = await openLink(net);
    // Too long in all, in pieces that relays pass on unread.
    const [port] = [near.local.relayPort as bigint];
    for (let i = 0; i < 40; i++) {
      (net.parties[0] as Party).send(b, { type: 'relay-data', port, more: true, bytes: new Uint8Array(2048) });
      // oxlint-disable-next-line no-await-in-loop
      await net.world.clock.advance(50);
    }
    const reasons: string[] = [];
    far.attach({ message() {}, written() {}, writable() {}, stalled() {}, flowing() {}, closed: ({ code }) => reasons.push(code) });
    await net.world.clock.advance(100);
    expect(reasons).toEqual(['relay.protocol']);
    expect([b.to(c).sending, c.relay.reputations.of(c.to(b)), b.relay.reputations.of(b.to(c))]).toEqual([true, 100, 100]);
  });
});
