import { HandshakeState } from '@matryoshka/session';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type MatryoshkaNode, formatStaticKey } from '../src/index.ts';
import { TestNetwork, echo, intact, serveEcho } from './network.ts';

// Who may connect to a node, and what neighbours may ask, over whole nodes in the simulated world.

let net: TestNetwork;
afterEach(async () => {
  vi.restoreAllMocks();
  await net.close();
});

const R14 = {
  unknown: { requestsPerSecond: 1, burst: 10, handshakes: 32, links: 1024 },
  known: { requestsPerSecond: 1000, burst: 1000, handshakes: 256, links: 65_536 },
  relayed: { requestsPerSecond: 1, burst: 10, handshakes: 32, links: 1024 },
};

/** The code that connecting fails with; undefined where it does not. */
async function attempt(node: MatryoshkaNode, to: string, options = {}): Promise<string | undefined> {
  return net.run(
    node.connect(to, options).then(
      () => undefined,
      (error: { code: string }) => error.code,
    ),
  );
}

describe('addresses', () => {
  test('that are denied reach nobody; others do; and both are counted', async () => {
    net = new TestNetwork(1);
    await net.startAll(['A', 'B']);
    const c = await net.start('C', '192.0.2.3', { access: { deny: ['10.1.0.0/16'] } });
    expect(await attempt(net.node('A'), net.address('C'))).toBe('session.handshake-no-answer');
    expect(await attempt(net.node('B'), net.address('C'))).toBeUndefined();
    expect(c.access()).toMatchObject({ openConnections: 1, refusals: { address: 1 }, access: { deny: ['10.1.0.0/16'] } });
  });

  test('may be changed at any time: who is denied now has to go, others stay', async () => {
    net = new TestNetwork(2);
    await net.startAll(['A', 'B', 'C']);
    const c = net.node('C');
    serveEcho(c);
    await net.connect('A', 'C');
    await net.connect('B', 'C');
    const [a, b] = [net.node('A').connections[0], net.node('B').connections[0]];
    c.updateAccess({ deny: ['10.1.0.0/16'] });
    expect(await net.run(a?.closed ?? Promise.reject(new Error('not connected')))).toMatchObject({ code: 'session.refused' });
    expect(b?.open).toBe(true);
    expect(await attempt(net.node('A'), net.address('C'))).toBe('session.handshake-no-answer');
    c.updateAccess({ deny: [] });
    expect(await attempt(net.node('A'), net.address('C'))).toBeUndefined();
    expect(b?.open && intact(await net.run(echo(b, 10_000)))).toBe(true);
  });

  test('this node’s own connections are no matter of its door', async () => {
    net = new TestNetwork(3);
    await net.startAll(['A', 'B']);
    await net.connect('A', 'B');
    net.node('A').updateAccess({ deny: ['10.0.0.0/8'], allowPeers: [] });
    await net.settle();
    expect(net.node('A').connections).toHaveLength(1);
  });

  test('a network that connects too often waits; others do not', async () => {
    net = new TestNetwork(4);
    await net.startAll(['A', 'B']);
    const c = await net.start('C', '192.0.2.3', { access: { attemptsPerSecond: 1, attemptBurst: 5 } });
    const many = await net.run(Promise.all(Array.from({ length: 20 }, () => attemptQuietly(net.node('A'), net.address('C')))));
    expect(many.filter((code) => code === undefined)).toHaveLength(5);
    expect(await attempt(net.node('B'), net.address('C'))).toBeUndefined();
    expect(c.access()).toMatchObject({ refusals: { attempts: 15 }, openConnections: 6 });
    await net.settle(1000);
    expect(await attempt(net.node('A'), net.address('C'), { anonymous: true })).toBeUndefined();
  });
});

function attemptQuietly(node: MatryoshkaNode, to: string): Promise<string | undefined> {
  return node.connect(to, { anonymous: true }).then(
    () => undefined,
    (error: { code: string }) => error.code,
  );
}

describe('peers', () => {
  test('that are denied hear so, directly and through a relay; what they have open ends', async () => {
    net = new TestNetwork(5);
    await net.startAll(['A', 'B', 'C']);
    const c = net.node('C');
    await net.connect('A', 'B', 'C');
    const relayed = await net.run(net.node('A').connect(net.address('C'), { hops: 2, gateway: net.address('B') }));
    await net.settle();
    c.updateAccess({ denyPeers: [net.node('A').peerId] });
    expect(await net.run(relayed.closed)).toMatchObject({ code: 'session.refused' });
    const direct = await net.run(net.node('A').connect(net.address('C')));
    expect(await net.run(direct.closed)).toMatchObject({ code: 'session.refused' });
    expect(c.access().refusals).toEqual({ 'peer-denied': 1 });
  });

  test('only those that are allowed; whether anonymous ones are is said apart from it', async () => {
    net = new TestNetwork(6);
    await net.startAll(['A', 'B']);
    const c = await net.start('C', '192.0.2.3', { access: { allowPeers: [net.node('A').peerId] } });
    const [a, b, nobody] = await net.run(
      Promise.all([
        net.node('A').connect(net.address('C')),
        net.node('B').connect(net.address('C')),
        net.node('B').connect(net.address('C'), { anonymous: true }),
      ]),
    );
    await net.settle();
    expect([a.open, b.open, nobody.open]).toEqual([true, false, true]);
    c.updateAccess({ acceptAnonymous: false });
    await net.settle();
    expect([a.open, nobody.open]).toEqual([true, false]);
    const another = await net.run(net.node('B').connect(net.address('C'), { anonymous: true }));
    expect(await net.run(another.closed)).toMatchObject({ code: 'session.anonymous-refused' });
    expect(c.access()).toMatchObject({ acceptAnonymous: false, refusals: { 'peer-not-allowed': 1, 'anonymous': 1 } });
    c.updateAccess({ allowPeers: undefined });
    expect(c.access().access.allowPeers).toBeUndefined();
    const again = await net.run(net.node('B').connect(net.address('C')));
    await net.settle();
    expect(again.open).toBe(true);
  });
});

describe('a hidden node', () => {
  test('is reached by its static key, and through relay links; to all others nobody is there', async () => {
    net = new TestNetwork(7);
    await net.startAll(['A', 'B']);
    const c = await net.start('C', '192.0.2.3', { access: { hidden: true } });
    serveEcho(c);
    expect(await attempt(net.node('A'), net.address('C'))).toBe('session.handshake-no-answer');
    const wrong = net.node('B').staticKey;
    expect(await attempt(net.node('A'), net.address('C'), { staticKey: wrong })).toBe('session.handshake-no-answer');
    const connection = await net.run(net.node('A').connect(net.address('C'), { staticKey: c.staticKey }));
    expect([connection.peerId, intact(await net.run(echo(connection, 10_000)))]).toEqual([c.peerId, true]);
    expect(c.access().refusals).toEqual({ hidden: 1 });
    // It dials out as ever; whoever comes through what it has dialled gets an answer.
    await net.connect('C', 'B');
    await net.connect('A', 'B');
    const relayed = await net.run(net.node('A').connect(c.peerId, { hops: 2, gateway: net.address('B') }));
    expect(intact(await net.run(echo(relayed, 10_000)))).toBe(true);
  });
});

describe('the static key of a node', () => {
  const seed = new Uint8Array(32).fill(7);

  test('stays with its identity, and may be another one', async () => {
    net = new TestNetwork(20);
    const first = await net.start('A', '10.1.0.1', { identity: seed });
    const again = await net.start('B', '10.2.0.1', { identity: seed });
    const other = await net.start('C', '10.3.0.1', { identity: seed, staticKey: new Uint8Array(32).fill(8) });
    expect(again.staticKey).toEqual(first.staticKey);
    expect(other.peerId).toBe(first.peerId);
    expect(other.staticKey).not.toEqual(first.staticKey);
  });

  test('is named with the peer: in a destination, and among the peers known beforehand', async () => {
    net = new TestNetwork(21);
    const hidden = await net.start('C', '10.3.0.1', { access: { hidden: true } });
    const text = formatStaticKey(hidden.staticKey);
    const address = net.address('C').replace('@', `+${text}@`);
    await net.startAll(['A']);
    await net.start('B', '10.4.0.1', { peers: [address] });
    for (const [from, to, options] of [
      ['A', address, {}],
      ['A', net.address('C'), { staticKey: text }],
      ['B', hidden.peerId, {}],
      ['B', net.address('C'), {}],
    ] as const) {
      const connection = await net.run(net.node(from).connect(to, options));
      expect([connection.peerId, connection.authenticated]).toEqual([hidden.peerId, true]);
    }
    const mistyped = address.replace(text, text.slice(0, -1) + (text.endsWith('q') ? 'p' : 'q'));
    expect(await attempt(net.node('A'), mistyped)).toBe('session.identity-invalid');
  });

  test('of a hidden node is shown to nobody, not even to those it lets in over relay links', async () => {
    net = new TestNetwork(22);
    await net.startAll(['A', 'B']);
    const hidden = await net.start('C', '10.3.0.1', { access: { hidden: true } });
    const shown: (string | undefined)[] = [];
    const read = HandshakeState.prototype.read;
    vi.spyOn(HandshakeState.prototype, 'read').mockImplementation(function (this: HandshakeState, message: Uint8Array) {
      const result = read.call(this, message);
      shown.push(this.remoteStatic?.toHex());
      return result;
    });
    await net.connect('C', 'B');
    await net.connect('A', 'B');
    await net.run(net.node('A').connect(hidden.peerId, { hops: 2, gateway: net.address('B') }));
    expect(shown).toContain(net.node('B').staticKey.toHex());
    expect(shown).not.toContain(hidden.staticKey.toHex());
    hidden.updateAccess({ hidden: false });
    await net.connect('A', 'C');
    expect(shown).toContain(hidden.staticKey.toHex());
  });
});

describe('R14 allowances', () => {
  test('are announced by class, kept by those who ask, and change at any time', async () => {
    net = new TestNetwork(8);
    await net.startAll(['A', 'C']);
    await net.start('B', '192.0.2.2', { access: { allowances: R14 } });
    const [a, b] = [net.node('A'), net.node('B')];
    await net.connect('A', 'B');
    const ask = (): Promise<string | undefined> => attempt(a, net.address('C'), { hops: 2, gateway: net.address('B') });
    const codes: (string | undefined)[] = [];
    for (let i = 0; i < 12; i++) codes.push(await ask());
    expect(codes.filter((code) => code !== undefined)).toEqual(['relay.rate-limited', 'relay.rate-limited']);
    // A has not even asked.
    expect(b.access().refusals).toEqual({});
    b.updateAccess({ allowances: { unknown: { requestsPerSecond: 100, burst: 100 } } });
    await net.settle();
    for (let i = 0; i < 12; i++) expect(await ask()).toBeUndefined();
    expect(b.access().access.allowances.unknown).toEqual({ requestsPerSecond: 100, burst: 100, handshakes: 32, links: 1024 });
  });

  test('of a peer known beforehand are those of known ones', async () => {
    net = new TestNetwork(9);
    await net.startAll(['A', 'C']);
    await net.start('B', '192.0.2.2', { access: { allowances: R14 }, peers: [net.address('A')] });
    await net.connect('A', 'B');
    for (let i = 0; i < 30; i++)
      expect(await attempt(net.node('A'), net.address('C'), { hops: 2, gateway: net.address('B') })).toBeUndefined();
  });

  test('circuits of others count in what their relay may ask, and cost it nothing', async () => {
    net = new TestNetwork(10);
    await net.startAll(['A', 'B', 'D']);
    const c = await net.start('C', '10.99.0.1', { access: { allowances: R14 } });
    await net.connect('A', 'B');
    const codes: (string | undefined)[] = [];
    for (let i = 0; i < 8; i++) codes.push(await attempt(net.node('A'), net.address('D'), { path: [net.address('B'), net.address('C')] }));
    // B asks C once for each circuit, and each circuit asks it once more: ten in all.
    expect(codes.filter((code) => code === undefined)).toHaveLength(5);
    expect(c.access().reputations).toEqual([]);
  });
});

describe('the status', () => {
  test('tells who may come and what became of them, and nothing else of the options: no identity, no network key', async () => {
    net = new TestNetwork(20);
    const node = await net.start('A', '10.1.0.1', { networkKey: new Uint8Array(16).fill(1), identity: new Uint8Array(32).fill(2) });
    expect(Object.keys(node.access()).toSorted()).toEqual([
      'acceptAnonymous',
      'access',
      'maxHandshakes',
      'openConnections',
      'refusals',
      'reputations',
    ]);
  });
});

describe('settings that are wrong', () => {
  test.each<[object, string]>([
    [{ allow: ['10.0.0.0/8', '10.0.0.0/33'] }, 'access.allow.1: "10.0.0.0/33" is no network: the length of its prefix must be 0 to 32'],
    [{ deny: ['10.0.0.1/8'] }, 'access.deny.0: "10.0.0.1/8" has bits set behind its prefix; the network is 10.0.0.0/8'],
    [{ exempt: '127.0.0.0/8' }, 'access.exempt: must be a list of networks, not "127.0.0.0/8"'],
    [
      { allow: ['10.1.0.0/16'], deny: ['10.0.0.0/8'] },
      'access.allow: "10.1.0.0/16" is allowed and denied as well: denying wins, and nothing of it is left',
    ],
    [{ allowPeers: ['mtk1x'] }, 'access.allowPeers.0: '],
    [{ hidden: true, acceptAnonymous: false }, 'access.hidden: needs acceptAnonymous'],
    [{ attemptsPerSecond: 0 }, 'access.attemptsPerSecond: must not be 0 where attemptBurst is not'],
    [
      { allowances: { unknown: { requestsPerSecond: 0, burst: 5 } } },
      'access.allowances.unknown.requestsPerSecond: must not be 0 where burst is not',
    ],
    [
      { allowances: { unknown: { bursts: 1 } } },
      'access.allowances.unknown.bursts: unknown, known here are requestsPerSecond, burst, handshakes, links',
    ],
    [{ reputation: { closeBelow: 101 } }, 'access.reputation.closeBelow: must be a number from 0 to 100, not 101'],
    [{ allows: [] }, 'access.allows: unknown, known here are allow, deny,'],
    [{ maxHandshakes: 0 }, 'maxHandshakes: must be a whole number from 1 to 65536, not 0'],
  ])('%j are named, and change nothing', async (update, expected) => {
    net = new TestNetwork(11);
    const node = await net.start('A', '10.1.0.1', { access: { deny: ['192.0.2.0/24'] } });
    const before = node.access();
    expect(() => node.updateAccess(update)).toThrow(
      expect.objectContaining({ code: 'config.invalid', message: expect.stringContaining(expected) }),
    );
    expect(node.access()).toEqual(before);
    const { acceptAnonymous, maxHandshakes, ...access } = update as { acceptAnonymous?: boolean; maxHandshakes?: number };
    const options = {
      access,
      ...(acceptAnonymous !== undefined && { acceptAnonymous }),
      ...(maxHandshakes !== undefined && { maxHandshakes }),
    };
    await expect(net.start('B', '10.2.0.1', options)).rejects.toMatchObject({ code: 'config.invalid' });
  });

  test('what is the same in both is named: a peer that is allowed and denied', async () => {
    net = new TestNetwork(12);
    const node = await net.start('A', '10.1.0.1');
    const { peerId } = await net.start('B', '10.2.0.1');
    node.updateAccess({ allowPeers: [peerId] });
    expect(() => node.updateAccess({ denyPeers: [peerId] })).toThrow(`access.allowPeers: ${peerId} is allowed and denied as well`);
    expect(node.access().access.denyPeers).toEqual([]);
  });

  test('settings with no object at all', async () => {
    net = new TestNetwork(13);
    const node = await net.start('A', '10.1.0.1');
    expect(() => node.updateAccess({ allowances: 5 as never })).toThrow('access.allowances: must be an object, not 5');
  });
});
