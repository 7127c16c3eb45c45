import { Recorder } from '@matryoshka/transport/contract';
import { HANDSHAKE_ANSWER_LENGTH, type Message, type RelayCreate } from '@matryoshka/wire';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Party, type RelayWorld, holdings, nothing, openLink, row, someRequest } from './relay-world.ts';

// Relay messages that nobody should send: a typed outcome, blame on the direct sender only, every other link unaffected.

afterEach(() => vi.restoreAllMocks());

const GRACE_MS = 30_000;

function create(destination: Party, more: Partial<RelayCreate> = {}): RelayCreate {
  return {
    type: 'relay-create',
    port: 77n,
    hopsLeft: 1,
    attemptsLeft: 4,
    budgetMs: 10_000,
    window: 100_000,
    request: someRequest(),
    destination: destination.destination,
    ...more,
  };
}

/** Relay messages that come to `party`. */
function overhear(party: Party): Message[] {
  const heard: Message[] = [];
  const message = party.relay.message.bind(party.relay);
  vi.spyOn(party.relay, 'message').mockImplementation((session, each) => {
    heard.push(structuredClone(each));
    message(session, each);
  });
  return heard;
}

/** The attacker X beside A, both connected to B, and a link of A's through B to C that has to go on unharmed. */
interface Stage extends RelayWorld {
  readonly a: Party;
  readonly b: Party;
  readonly c: Party;
  readonly x: Party;
  readonly near: Awaited<ReturnType<typeof openLink>>['near'];
  readonly far: Awaited<ReturnType<typeof openLink>>['far'];
  /** Sends on A's link and says whether it arrived, and whether nobody but the attacker has lost anything. */
  unharmed(): Promise<{ readonly arrived: boolean; readonly blamed: readonly string[] }>;
}

async function stage(seed: number): Promise<Stage> {
  const net = await row(3, seed);
  const [a, b, c] = net.parties as [Party, Party, Party];
  const attacker = new Party(net.world, '10.66.0.1', seed * 100 + 66);
  await net.world.run(attacker.dial(b.endpoint));
  await net.world.clock.advance(100);
  const { near, far } = await openLink(net);
  const owner = new Recorder();
  far.attach(owner);
  let sent = 0;
  const names = new Map([
    [a.environment.identity.peerId, 'a'],
    [c.environment.identity.peerId, 'c'],
    [attacker.environment.identity.peerId, 'x'],
  ]);
  const unharmed = async (): Promise<{ readonly arrived: boolean; readonly blamed: readonly string[] }> => {
    near.send([new Uint8Array([++sent])]);
    await net.world.clock.advance(200);
    const blamed = [a, b, c].flatMap(({ relay }) => relay.reputations.peers.map(({ peerId }) => names.get(peerId) ?? '?'));
    return { arrived: owner.messages.length === sent && owner.messages.at(-1)?.[0] === sent, blamed };
  };
  return { ...net, a, b, c, x: attacker, near, far, unharmed };
}

const UNHARMED = { arrived: true, blamed: [] };
const X_TO_BLAME = { arrived: true, blamed: ['x'] };
const portOf = ({ near }: Stage): bigint => near.local.relayPort as bigint;
const halves = (port: bigint): [number, number] => [Number(port >> 32n), Number(port & 0xffff_ffffn)];

/** Hands relay data to B as if X had sent it: its own service sends none for such a port. */
function dataFrom(at: Stage, port: bigint, length: number): void {
  at.x.to(at.b).send({ type: 'relay-data', port, more: false, bytes: new Uint8Array(length) });
}

describe('R6, R14 ports', () => {
  test('unknown: relay-close comes back once, and costs the sender a little', async () => {
    const at = await stage(1);
    const heard = overhear(at.x);
    for (let i = 0; i < 3; i++) dataFrom(at, 4711n, 10);
    await at.world.clock.advance(100);
    expect(heard).toEqual([{ type: 'relay-close', port: 4711n, reason: 'relay.unknown-port' }]);
    expect(await at.unharmed()).toEqual(X_TO_BLAME);
    expect(at.b.relay.reputations.of(at.b.to(at.x))).toBeGreaterThanOrEqual(99);
  });

  test('of somebody else’s link: on this session it leads nowhere, whatever is sent for it', async () => {
    const at = await stage(2);
    const port = portOf(at);
    const heard = overhear(at.x);
    dataFrom(at, port, 10);
    at.x.send(
      at.b,
      { type: 'relay-close', port, reason: 'closed' },
      { type: 'relay-credit', port, total: 1 },
      { type: 'relay-status', port, status: 'stalled' },
      { type: 'relay-credit-return', port, bytes: 4096 },
    );
    await at.world.clock.advance(100);
    expect(heard).toEqual([{ type: 'relay-close', port, reason: 'relay.unknown-port' }]);
    expect(await at.unharmed()).toEqual(X_TO_BLAME);
  });

  test('of somebody else’s link, asked for: relay.port-in-use, and nobody is blamed', async () => {
    const at = await stage(3);
    const heard = overhear(at.x);
    at.x.send(at.b, create(at.c, { port: portOf(at) }));
    await at.world.clock.advance(100);
    expect(heard).toMatchObject([{ status: 'refused', reason: 'relay.port-in-use' }]);
    expect(await at.unharmed()).toEqual(UNHARMED);
  });

  test('0 is no port: the session of its sender ends, and no other', async () => {
    const at = await stage(4);
    const session = at.b.to(at.x);
    // No codec of ours writes it.
    let error: unknown;
    try {
      at.b.relay.data(session, 0, 0, 0, new Uint8Array(1));
    } catch (reason) {
      error = reason;
    }
    expect(error).toMatchObject({ code: 'wire.invalid', kind: 'peer' });
    session.failed(error);
    expect((await at.world.run(at.x.to(at.b).closed)).code).toBe('wire.invalid');
    expect(await at.unharmed()).toEqual(X_TO_BLAME);
  });

  test('used again within the grace period: relay.port-in-use; after it, it is free', async () => {
    const at = await stage(5);
    const heard = overhear(at.x);
    const first = create(at.c, { port: 99n });
    at.x.send(at.b, first);
    await at.world.clock.advance(100);
    at.x.send(at.b, { type: 'relay-close', port: 99n, reason: 'closed' });
    await at.world.clock.advance(100);
    at.x.send(at.b, create(at.c, { port: 99n }));
    await at.world.clock.advance(100);
    expect(heard).toMatchObject([{ status: 'refused', reason: 'relay.port-in-use' }]);
    // What comes late for it is let go meanwhile.
    dataFrom(at, 99n, 10);
    await at.world.clock.advance(100);
    expect(heard.length).toBe(1);
    await at.world.clock.advance(GRACE_MS);
    const arrived = at.c.arrived.length;
    at.x.send(at.b, create(at.c, { port: 99n }));
    await at.world.clock.advance(100);
    expect(at.c.arrived.length).toBe(arrived + 1);
    expect(await at.unharmed()).toEqual(UNHARMED);
  });
});

describe('R2, R3, R15 requests', () => {
  test.each([15, 200, 255])('with %i hops left: relay.hops-invalid, and nobody is blamed', async (hopsLeft) => {
    const at = await stage(6);
    const heard = overhear(at.x);
    at.x.send(at.b, create(at.c, { hopsLeft }));
    await at.world.clock.advance(100);
    expect(heard).toMatchObject([{ status: 'refused', reason: 'relay.hops-invalid' }]);
    expect(await at.unharmed()).toEqual(UNHARMED);
  });

  test('that come in a circle, by their port or by what they carry, end at whoever has them already', async () => {
    const at = await stage(7);
    const heard = overhear(at.x);
    const request = create(at.c, { port: 50n });
    at.x.send(at.b, request, { ...request, port: 51n });
    await at.world.clock.advance(100);
    expect(heard).toMatchObject([{ port: 51n, status: 'refused', reason: 'relay.port-in-use' }]);
    expect(await at.unharmed()).toEqual(UNHARMED);
  });

  test('for this relay itself as the destination of its own forwarding: relay.loop', async () => {
    const at = await stage(8);
    const heard = overhear(at.x);
    at.x.send(at.b, create(at.b));
    await at.world.clock.advance(100);
    expect(heard).toMatchObject([{ status: 'refused', reason: 'relay.loop' }]);
    expect(await at.unharmed()).toEqual(UNHARMED);
  });

  test('that nobody will answer, without end: they are bounded, and what they held is free afterwards', async () => {
    const at = await stage(9);
    for (let i = 0; i < 500; i++) at.x.send(at.b, create(at.c, { port: 1000n + BigInt(i), budgetMs: 2000 }));
    await at.world.clock.advance(100);
    expect(await at.unharmed()).toEqual(UNHARMED);
    await at.world.clock.advance(10_000);
    at.near.close();
    await at.world.clock.advance(1000);
    expect(holdings(at.parties.slice(1))).toEqual(nothing(at.parties.slice(1)));
  });
});

describe('R8 data of an open link', () => {
  /** A link of X's through B to C, made by hand. */
  async function opened(at: Stage): Promise<void> {
    at.x.send(at.b, create(at.c, { port: 60n }));
    await at.world.clock.advance(100);
    at.c.arrived.at(-1)?.link.send([new Uint8Array(HANDSHAKE_ANSWER_LENGTH)]);
    await at.world.clock.advance(100);
  }

  test('past its credit: the session of who sent it ends typed; it alone is blamed', async () => {
    const at = await stage(10);
    vi.spyOn(at.x.relay, 'message').mockImplementation(() => {});
    await opened(at);
    const session = at.b.to(at.x);
    const [high, low] = halves(60n);
    // As fast as a session takes it, without a look at what was granted.
    let error: unknown;
    try {
      for (let i = 0; i < 100; i++) at.b.relay.data(session, high, low, 0, new Uint8Array(60_000));
    } catch (reason) {
      error = reason;
    }
    expect(error).toMatchObject({ code: 'session.credit-exceeded', kind: 'peer' });
    session.failed(error);
    expect((await at.world.run(at.x.to(at.b).closed)).code).toBe('session.credit-exceeded');
    expect(await at.unharmed()).toEqual(X_TO_BLAME);
  });

  test('that is empty: the same', async () => {
    const at = await stage(11);
    vi.spyOn(at.x.relay, 'message').mockImplementation(() => {});
    await opened(at);
    const ended = at.x.to(at.b).closed;
    dataFrom(at, 60n, 0);
    expect((await at.world.run(ended)).code).toBe('relay.protocol');
    expect(await at.unharmed()).toEqual(X_TO_BLAME);
  });

  test('before it is accepted, and an answer that nobody waits for: the same', async () => {
    const at = await stage(12);
    vi.spyOn(at.x.relay, 'message').mockImplementation(() => {});
    at.x.send(at.b, create(at.c, { port: 60n }));
    await at.world.clock.advance(100);
    const ended = at.x.to(at.b).closed;
    dataFrom(at, 60n, 10);
    expect((await at.world.run(ended)).code).toBe('relay.protocol');
    expect(await at.unharmed()).toEqual(X_TO_BLAME);
  });
});

describe('principle 6 what a next hop does', () => {
  test.each([
    ['accepts twice', 'accepted'],
    ['refuses what it has accepted', 'refused'],
  ] as const)('one that %s ends its own session; the previous hop hears carrier-lost and is blamed for nothing', async (_what, status) => {
    const net = await row(3, 20);
    const [a, b, c] = net.parties as [Party, Party, Party];
    const { near } = await openLink(net);
    const owner = new Recorder();
    near.attach(owner);
    const port = near.local.relayPort as bigint;
    const limits = { bytesPerSecond: 0, maxBytes: 0, maxAgeMs: 0 };
    c.send(
      b,
      status === 'accepted'
        ? { type: 'relay-status', port, status, window: 4096, limits, answer: new Uint8Array(HANDSHAKE_ANSWER_LENGTH) }
        : { type: 'relay-status', port, status, reason: 'relay.busy', retryAfterMs: 0, limits },
    );
    await net.world.clock.advance(100);
    expect(owner.reasons.map(({ code }) => code)).toEqual(['relay.carrier-lost']);
    expect(a.to(b).sending).toBe(true);
    expect(a.relay.reputations.peers).toEqual([]);
    expect(b.relay.reputations.peers.map(({ peerId }) => peerId)).toEqual([c.environment.identity.peerId]);
  });

  test('refusals that say whose fault it is, or that it is a bug, travel no further as such', async () => {
    for (const [i, reason] of (['bug', 'relay.hops-invalid', 'config.invalid', 'transport.dial-failed', 'unknown'] as const).entries()) {
      const net = await row(4, 30 + i);
      const [a, b, c, d] = net.parties as [Party, Party, Party, Party];
      vi.spyOn(c.relay, 'message').mockImplementation((session, message) => {
        if (message.type !== 'relay-create') return;
        const limits = { bytesPerSecond: 0, maxBytes: 0, maxAgeMs: 0 };
        session.send({ type: 'relay-status', port: message.port, status: 'refused', reason, retryAfterMs: 0, limits });
      });
      // oxlint-disable-next-line no-await-in-loop
      const error = await net.world.run(a.open(b, d, 3).catch((why: unknown) => why));
      expect(error).toMatchObject({ code: 'relay.destination-unreachable' });
    }
  });
});
