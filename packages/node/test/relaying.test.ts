import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Connection, MatryoshkaError, RelayPorts } from '../src/index.ts';
import { TestNetwork, echo, intact, serveEcho } from './network.ts';

afterEach(() => vi.restoreAllMocks());

/** Nodes in a row, each connected to the next one; the last serves an echo. */
async function row(seed: number, names: readonly string[]): Promise<TestNetwork> {
  const net = new TestNetwork(seed);
  await net.startAll(names);
  for (const [i, name] of names.entries()) if (i > 0) await net.connect(names[i - 1] as string, name);
  serveEcho(net.node(names.at(-1) as string));
  return net;
}

/** Reasons that connections of these nodes end with. */
function endings(net: TestNetwork, ...names: readonly string[]): string[] {
  const seen: string[] = [];
  for (const name of names)
    net.node(name).on('disconnected', ({ connection, reason }) => seen.push(`${name} ${connection.kind} ${reason.code}`));
  return seen;
}

describe('R1 serving relay links', () => {
  test('is off by default', async () => {
    const net = new TestNetwork(1);
    await net.startAll(['A', 'B']);
    await net.start('C', '10.3.0.1', { relay: { enabled: false } });
    expect(net.node('C').relayEnabled).toBe(false);
    await net.connect('A', 'B', 'C');
    expect(net.node('A').connections.map(({ relaying }) => relaying)).toEqual([true, false]);
    // As a destination it refuses, at once, and both stay connected.
    const { code, afterMs } = await net.failure(net.node('A').connect(net.address('C'), { hops: 1 }));
    expect(code).toBe('relay.disabled');
    expect(afterMs).toBeLessThan(50);
    // As a first relay that was named, too; at random nobody would choose it.
    expect((await net.failure(net.node('A').connect(net.address('B'), { hops: 2, gateway: net.node('C').peerId }))).code).toBe(
      'relay.disabled',
    );
    expect(net.node('A').connections.length).toBe(2);
    await net.close();
  });

  test('a refusal costs whoever asked nothing, however often', async () => {
    const net = await row(2, ['A', 'B', 'C']);
    net.node('B').setRelayEnabled(false);
    for (let i = 0; i < 30; i++)
      expect((await net.failure(net.node('A').connect(net.address('C'), { hops: 2, gateway: net.node('B').peerId }))).code).toBe(
        'relay.disabled',
      );
    net.node('B').setRelayEnabled(true);
    await net.settle();
    await net.run(net.node('A').connect(net.address('C'), { hops: 2 }));
    await net.close();
  });

  test('is announced when it changes: nobody chooses who does not serve', async () => {
    const net = await row(3, ['A', 'B', 'C', 'D']);
    net.node('C').setRelayEnabled(false);
    await net.settle();
    expect((await net.failure(net.node('A').connect(net.address('D'), { hops: 3 }))).code).toBe('relay.no-peers-available');
    net.node('C').setRelayEnabled(true);
    await net.settle();
    await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    await net.close();
  });

  test('switched off while running it ends what it forwards, with a reason to both ends', async () => {
    const net = await row(4, ['A', 'B', 'C', 'D']);
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    await net.settle();
    const seen = endings(net, 'A', 'D');
    net.node('C').setRelayEnabled(false);
    expect((await net.run(connection.closed)).code).toBe('relay.disabled');
    await net.settle();
    expect(seen.toSorted()).toEqual(['A relayed relay.disabled', 'D relayed relay.disabled']);
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });

  test('one’s own relayed connections need no switch', async () => {
    const net = await row(5, ['A', 'B', 'C']);
    net.node('A').setRelayEnabled(false);
    const connection = await net.run(net.node('A').connect(net.address('C'), { hops: 2 }));
    expect(intact(await net.run(echo(connection, 1000)))).toBe(true);
    await net.close();
  });

  test('forward: false keeps being a destination, and does not announce relaying', async () => {
    const net = new TestNetwork(6);
    await net.startAll(['A', 'B']);
    await net.start('C', '10.3.0.1', { relay: { forward: false } });
    serveEcho(net.node('C'));
    await net.connect('A', 'B', 'C');
    expect(net.node('A').connections.map(({ relaying }) => relaying)).toEqual([true, false]);
    const connection = await net.run(net.node('A').connect(net.address('C'), { hops: 2 }));
    expect(intact(await net.run(echo(connection, 1000)))).toBe(true);
    expect((await net.failure(net.node('A').connect(net.address('B'), { hops: 2, gateway: net.node('C').peerId }))).code).toBe(
      'relay.disabled',
    );
    await net.close();
  });
});

describe('R2 hops', () => {
  test('1: a second session inside the first, doubly encrypted', async () => {
    const net = await row(10, ['A', 'B']);
    const connection = await net.run(net.node('A').connect(net.address('B'), { hops: 1 }));
    expect(connection).toMatchObject({ kind: 'relayed', nesting: 1, authenticated: true });
    await net.settle();
    expect(
      net
        .node('B')
        .status()
        .connections.map(({ kind, nesting, peerId }) => [kind, nesting, net.nameOf(peerId)]),
    ).toEqual([
      ['direct', 0, 'A'],
      ['relayed', 1, 'A'],
    ]);
    expect(intact(await net.run(echo(connection, 100_000)))).toBe(true);
    await net.run(connection.close());
    await net.settle();
    expect(net.node('A').connections.map(({ kind }) => kind)).toEqual(['direct']);
    await net.close();
  });

  test('1, to a peer that is not connected: connects first; anonymously, if so asked, at both levels', async () => {
    const net = new TestNetwork(11);
    await net.startAll(['A', 'B']);
    await net.run(net.node('A').connect(net.address('B'), { hops: 1, anonymous: true }));
    await net.settle();
    expect(
      net
        .node('B')
        .status()
        .connections.map(({ kind, peerId }) => [kind, peerId]),
    ).toEqual([
      ['direct', undefined],
      ['relayed', undefined],
    ]);
    await net.close();
  });

  test('15 work', async () => {
    const names = Array.from({ length: 16 }, (_, i) => `N${i}`);
    const net = await row(12, names);
    const connection = await net.run(net.node('N0').connect(net.address('N15'), { hops: 15 }));
    expect(net.events.filter(({ event }) => event === 'requested').map(({ link }) => link.hopsLeft)).toEqual(
      Array.from({ length: 14 }, (_, i) => 14 - i),
    );
    expect(intact(await net.run(echo(connection, 50_000)))).toBe(true);
    await net.close();
    expect(net.holdings()).toEqual(net.nothing());
  });

  test.each([0, 16, 1.5, -1, NaN])('%d are refused, and the message names them', async (hops) => {
    const net = await row(13, ['A', 'B']);
    const { code, message } = await net.failure(net.node('A').connect(net.address('B'), { hops }));
    expect(code).toBe('relay.hops-invalid');
    expect(message).toBe(`hops must be a whole number from 1 to 15, not ${hops}`);
    await net.close();
  });
});

describe('R4, R5 networks', () => {
  test('the seed’s example: B 201.1.157.11 asked by A 66.171.45.90 for 180.30.30.20', async () => {
    const net = new TestNetwork(20);
    await net.start('A', '66.171.45.90');
    await net.start('B', '201.1.157.11');
    await net.start('D', '180.30.30.20');
    await net.connect('A', 'B');
    const near = ['201.1.200.1', '66.171.200.1', '180.30.200.1'];
    for (const [i, host] of near.entries()) {
      await net.start(`near${i}`, host);
      await net.connect('B', `near${i}`);
    }
    expect((await net.failure(net.node('A').connect(net.address('D'), { hops: 3 }))).code).toBe('relay.no-peers-available');
    for (const [i, host] of ['8.20.1.1', '201.2.157.11', '66.172.45.90', '180.31.30.20'].entries()) {
      await net.start(`far${i}`, host);
      await net.connect('B', `far${i}`);
    }
    const chosen = new Set<string>();
    for (let i = 0; i < 25; i++) {
      const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
      for (const { nextHop } of net.node('B').status().relayLinks) chosen.add(net.nameOf(nextHop?.peerId) as string);
      await net.run(connection.close());
      await net.settle(50);
    }
    expect([...chosen].toSorted()).toEqual(['far0', 'far1', 'far2', 'far3']);
    await net.close();
  });

  test('0 bits: the whole family is one network, so that nobody is left', async () => {
    const net = new TestNetwork(21);
    await net.startAll(['A']);
    await net.start('B', '10.2.0.1', { relay: { ipv4ExcludedNetworksCidrLeadingBits: 0 } });
    await net.startAll(['C', 'D']);
    await net.connect('A', 'B');
    await net.connect('B', 'C');
    expect((await net.failure(net.node('A').connect(net.address('D'), { hops: 3 }))).code).toBe('relay.no-peers-available');
    // An IPv6 neighbour is of another family.
    await net.start('E', '2606:4700::1');
    await net.connect('B', 'E');
    await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    await net.close();
  });

  test('a peer is excluded by its identity, though it is somewhere else', async () => {
    const net = await row(22, ['A', 'B']);
    await net.startAll(['D']);
    // D is connected to B from elsewhere, as itself: it is the destination and no relay.
    await net.connect('D', 'B');
    expect((await net.failure(net.node('A').connect(`${net.node('D').peerId}@10.99.0.1:999`, { hops: 3 }))).code).toBe(
      'relay.no-peers-available',
    );
    await net.close();
  });

  test('a relayed neighbour can be the next hop, judged by its carrier, too', async () => {
    const net = await row(23, ['A', 'B', 'C', 'D', 'E']);
    // B reaches D through C; its only other neighbours are A (the previous hop) and C.
    await net.run(net.node('B').connect(net.address('D'), { hops: 2, gateway: net.node('C').peerId }));
    await net.settle();
    const chosen = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const connection = await net.run(net.node('A').connect(net.address('E'), { hops: 3 }));
      for (const { previousHop, nextHop } of net.node('B').status().relayLinks)
        if (net.nameOf(previousHop.peerId) === 'A') chosen.add(net.nameOf(nextHop?.peerId) as string);
      await net.run(connection.close());
      await net.settle(50);
    }
    expect([...chosen].toSorted()).toEqual(['C', 'D']);
    await net.close();
    expect(net.holdings()).toEqual(net.nothing());
  });
});

describe('R6 relay port', () => {
  test('per-hop: another number on every hop, told apart all the same', async () => {
    const net = new TestNetwork(31);
    await net.startAll(['A', 'B', 'C', 'D'], { relay: { relayPorts: 'per-hop' } });
    await net.connect('A', 'B');
    await net.connect('B', 'C');
    await net.connect('C', 'D');
    serveEcho(net.node('D'));
    const heard = net.overhear();
    const connections = [
      await net.run(net.node('A').connect(net.address('D'), { hops: 3 })),
      await net.run(net.node('A').connect(net.address('D'), { hops: 3 })),
    ];
    const asked = heard.flatMap(({ message }) => (message.type === 'relay-create' ? [message.port] : []));
    expect(new Set(asked).size).toBe(6);
    const echoes = await net.run(Promise.all(connections.map((connection, i) => echo(connection, 100_000, i))));
    expect(echoes.every(intact)).toBe(true);
    // What each says of a link that it forwards names its own two numbers.
    const links = ['B', 'C'].map((name) => net.node(name).status().relayLinks);
    expect(links[0]?.map(({ nextPort }) => nextPort)).toEqual(links[1]?.map(({ port }) => port));
    await Promise.all(connections.map((connection) => connection.close()));
    await net.settle();
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });

  test('end-to-end: a relay says both numbers, which are one', async () => {
    const net = await row(32, ['A', 'B', 'C']);
    const connection = await net.run(net.node('A').connect(net.address('C'), { hops: 2 }));
    const port = String(connection.remote.relayPort);
    expect(net.node('B').status().relayLinks).toMatchObject([{ port, nextPort: port }]);
    await net.close();
  });

  test.each([
    ['end-to-end', () => 'end-to-end'],
    ['per-hop', () => 'per-hop'],
    ['by some', (i) => (i % 2 === 0 ? 'end-to-end' : 'per-hop')],
  ] satisfies [string, (i: number) => RelayPorts][])(
    '%s: a relay that is on the path already sends a request another way',
    async (_name, ports) => {
      // B, C, E and F are all connected with each other, so that a random path may come back.
      const net = new TestNetwork(30);
      for (const [i, name] of ['A', 'B', 'C', 'E', 'F', 'D'].entries()) await net.startAll([name], { relay: { relayPorts: ports(i) } });
      await net.connect('A', 'B');
      await net.connect('B', 'C', 'E', 'F');
      await net.connect('C', 'E', 'F');
      await net.connect('E', 'F');
      const heard = net.overhear();
      const circles = (): number =>
        heard.filter(
          ({ message }) => message.type === 'relay-status' && message.status === 'refused' && message.reason === 'relay.port-in-use',
        ).length;
      for (let i = 0; i < 12; i++) {
        // Five hops over four relays: each exactly once.
        const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 5 }));
        const path = net.events.splice(0).filter(({ event }) => event === 'opened');
        expect(path.map(({ node }) => node).toSorted()).toEqual(['B', 'C', 'E', 'F']);
        await net.run(connection.close());
        await net.settle(50);
      }
      expect(circles()).toBeGreaterThan(0);
      // Six hops: every way comes back to a relay that is on the path.
      expect((await net.failure(net.node('A').connect(net.address('D'), { hops: 6 }))).code).toBe('relay.no-peers-available');
      expect(net.holdings()).toEqual(net.nothing());
      await net.close();
    },
  );
});

describe('a relay that dies', () => {
  test.each(['B', 'C'])('%s in the middle of a transfer: both ends get a reason, nobody hangs, nothing stays behind', async (name) => {
    const net = await row(40, ['A', 'B', 'C', 'D']);
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    const seen = endings(net, 'A', 'D');
    const transfer = echo(connection, 4_000_000);
    await net.settle(150);
    net.world.network.crash(net.host(name));
    const { error, sent, got } = await net.run(transfer);
    expect(error?.code).toMatch(/^session\.path-stalled$|^relay\.carrier-lost$/);
    expect(Buffer.compare(got, sent.subarray(0, got.length))).toBe(0);
    await net.settle(100_000);
    expect(seen.filter((each) => each.includes('relayed')).toSorted()).toEqual([
      expect.stringMatching(/^A relayed (session\.path-stalled|relay\.carrier-lost)$/),
      expect.stringMatching(/^D relayed (session\.path-stalled|relay\.carrier-lost)$/),
    ]);
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });

  test('without a word: the ends find out, and nothing stays behind', async () => {
    const net = await row(41, ['A', 'B', 'C', 'D']);
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    net.world.network.silence(net.host('B'), net.host('C'), Number.POSITIVE_INFINITY);
    const reason: MatryoshkaError = await net.run(connection.closed);
    expect(reason.code).toMatch(/^session\.path-stalled$|^relay\.carrier-lost$/);
    await net.settle(100_000);
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });

  test('while its node closes in good order, too', async () => {
    const net = await row(42, ['A', 'B', 'C', 'D']);
    const connections: Connection[] = [];
    for (let i = 0; i < 5; i++) connections.push(await net.run(net.node('A').connect(net.address('D'), { hops: 3 })));
    await net.run(net.node('B').close());
    expect(new Set(await net.run(Promise.all(connections.map(async ({ closed }) => (await closed).code))))).toEqual(
      new Set(['session.link-lost']),
    );
    await net.settle();
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });
});
