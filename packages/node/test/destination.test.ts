import { afterEach, describe, expect, test, vi } from 'vitest';
import type { AcceptRequest, NodeOptions } from '../src/index.ts';
import { TestNetwork, echo, intact, serveEcho } from './network.ts';

afterEach(() => vi.restoreAllMocks());

/** A, B, C in a row and D, whom C has to connect to. */
async function towards(seed: number, d: Partial<NodeOptions> = {}): Promise<TestNetwork> {
  const net = new TestNetwork(seed);
  await net.startAll(['A', 'B', 'C']);
  await net.start('D', '10.40.0.1', d);
  serveEcho(net.node('D'));
  await net.connect('A', 'B');
  await net.connect('B', 'C');
  return net;
}

describe('R10 the destination decides', () => {
  test('by a hook that hears of the last relay only, before any key material is touched', async () => {
    const asked: AcceptRequest[] = [];
    const net = await towards(1, { relay: { accept: (request) => asked.push(request) === 1 } });
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    expect(asked).toEqual([
      {
        previousHop: net.node('C').peerId,
        endpoint: expect.objectContaining({ host: net.host('C') }),
        relayPort: connection.remote.relayPort,
      },
    ]);
    const { code, afterMs } = await net.failure(net.node('A').connect(net.address('D'), { hops: 3 }));
    expect(code).toBe('relay.refused');
    expect(afterMs).toBeLessThan(150);
    // The direct connection from C and the relayed one; no handshake for the refused one.
    expect(net.node('D').connections.length).toBe(2);
    await net.close();
  });

  test('by a hook that takes its time', async () => {
    const net = await towards(2, {
      relay: { accept: () => new Promise((resolve) => void net.world.clock.after(5000, () => resolve(true))) },
    });
    const from = net.world.clock.now();
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    expect(net.world.clock.now() - from).toBeGreaterThanOrEqual(5000);
    expect(intact(await net.run(echo(connection, 1000)))).toBe(true);
    await net.close();
  });

  test('by one that never answers: relay.timeout, and nothing stays behind', async () => {
    const net = await towards(3, { relay: { accept: () => new Promise(() => {}) } });
    const { code, afterMs } = await net.failure(net.node('A').connect(net.address('D'), { hops: 3 }));
    expect(code).toBe('relay.timeout');
    expect(afterMs).toBeLessThan(31_000);
    await net.settle(1000);
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });

  test('who wants no anonymous peers says so, typed', async () => {
    const net = await towards(4, { acceptAnonymous: false });
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3, anonymous: true }));
    expect((await net.run(connection.closed)).code).toBe('session.anonymous-refused');
    await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    await net.close();
  });
});

describe('R11 end to end', () => {
  test('a destination without a peer id is refused before anything is sent', async () => {
    const net = await towards(10);
    const before = net.world.network.traffic.messages;
    const { code, message } = await net.failure(net.node('A').connect('10.40.0.1:999', { hops: 3 }));
    expect(code).toBe('relay.destination-unpinned');
    expect(message).toContain('10.40.0.1:999');
    expect(net.world.network.traffic.messages).toBe(before);
    await net.close();
  });

  test('unless it is asked for by name; then it is nowhere reported as authenticated', async () => {
    const net = await towards(11);
    const events: boolean[] = [];
    net.node('A').on('connection', (connection) => events.push(connection.authenticated));
    const connection = await net.run(net.node('A').connect('10.40.0.1:999', { hops: 3, unverifiedDestination: true }));
    expect(connection.authenticated).toBe(false);
    // Who answered is told.
    expect(net.nameOf(connection.peerId)).toBe('D');
    expect(events).toEqual([false]);
    expect(
      net
        .node('A')
        .status()
        .connections.find(({ kind }) => kind === 'relayed')?.authenticated,
    ).toBe(false);
    expect(intact(await net.run(echo(connection, 1000)))).toBe(true);
    await net.close();
  });

  test('with a peer id the option changes nothing', async () => {
    const net = await towards(12);
    expect((await net.run(net.node('A').connect(net.address('D'), { hops: 3, unverifiedDestination: true }))).authenticated).toBe(true);
    await net.close();
  });

  test.each([1, 2, 3])('over %i hops, another peer at the destination is found out by the originator: session.wrong-peer', async (hops) => {
    const net = await towards(13 + hops);
    await net.start('X', '10.66.0.1');
    const { code, message } = await net.failure(net.node('A').connect(`${net.node('X').peerId}@10.40.0.1:999`, { hops }));
    expect(code).toBe('session.wrong-peer');
    expect(message).toBe(`${net.node('D').peerId} answered where ${net.node('X').peerId} was demanded`);
    await net.settle(500);
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });

  test.each([
    ['B', 2],
    ['C', 1],
  ] as const)('a relay (%s) that answers in D’s place is found out', async (liar, hopsLeft) => {
    const net = await towards(18);
    net.overhear(({ node, message }) =>
      node === liar && message.type === 'relay-create' && message.hopsLeft === hopsLeft ? { ...message, hopsLeft: 0 } : message,
    );
    const { code, message } = await net.failure(net.node('A').connect(net.address('D'), { hops: 3 }));
    expect(code).toBe('session.wrong-peer');
    expect(message).toContain(net.node(liar).peerId);
    await net.settle(500);
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });

  test('a relay that changes what it forwards is found out and gone around: nothing is lost, and it learns nothing', async () => {
    const net = await towards(19);
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    let armed = true;
    net.overhearData((node, bytes) => {
      if (node !== 'C' || !armed || bytes.length < 1000) return;
      armed = false;
      bytes[500] = (bytes[500] as number) ^ 1;
    });
    const { error, got, sent } = await net.run(echo(connection, 100_000));
    expect(armed).toBe(false);
    expect(error).toBeUndefined();
    expect(Buffer.compare(got, sent)).toBe(0);
    await net.run(connection.close());
    await net.settle(500);
    // The neighbours are not blamed.
    expect(net.node('B').connections.length).toBe(2);
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });
});

describe('R17 what the last relay does not reach', () => {
  test.each([
    '127.0.0.1:999',
    '10.40.0.1:999',
    '192.168.1.1:999',
    '169.254.169.254:80',
    '[::1]:999',
    '[::ffff:10.40.0.1]:999',
    '[64:ff9b::a28:1]:999',
    '[2002:a28:1::]:999',
    '224.0.0.1:1',
  ])('%s is forbidden unless allowed by name', async (to) => {
    const net = new TestNetwork(30);
    // In networks apart from all of those destinations.
    await net.start('A', '44.1.0.1', { relay: { allowDial: [] } });
    await net.start('B', '44.2.0.1', { relay: { allowDial: [] } });
    await net.start('D', '10.40.0.1');
    await net.connect('A', 'B');
    const dials: string[] = [];
    net.world.network.tap((_from, { host }) => dials.push(host));
    const { code, afterMs } = await net.failure(net.node('A').connect(`${net.node('D').peerId}@${to}`, { hops: 2 }));
    expect(code).toBe('relay.destination-forbidden');
    expect(afterMs).toBeLessThan(50);
    expect(dials.every((host) => host.startsWith('44.'))).toBe(true);
    await net.close();
  });

  test('remote failures come as one code, whatever they are, and name no more', async () => {
    const net = await towards(31);
    const attempt = (to: string): ReturnType<TestNetwork['failure']> => net.failure(net.node('A').connect(to, { hops: 3 }));
    // Nobody there, nobody that speaks our network's language, nobody that answers.
    const absent = await attempt(`${net.node('D').peerId}@10.77.0.1:999`);
    await net.start('stranger', '10.78.0.1', { networkKey: new Uint8Array(32).fill(7) });
    const stranger = await attempt(`${net.node('stranger').peerId}@10.78.0.1:999`);
    await net.start('mute', '10.79.0.1');
    net.world.network.silence(net.host('C'), net.host('mute'), Number.POSITIVE_INFINITY);
    const mute = await attempt(net.address('mute'));
    for (const { code, message } of [absent, stranger, mute]) {
      expect(['relay.destination-unreachable', 'relay.timeout']).toContain(code);
      expect(message).not.toContain('10.');
    }
    expect(absent.code).toBe('relay.destination-unreachable');
    expect(stranger.code).toBe('relay.destination-unreachable');
    await net.settle(1000);
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });

  test('a peer named by its id alone that nobody is connected to', async () => {
    const net = await towards(32);
    expect((await net.failure(net.node('A').connect(net.node('D').peerId, { hops: 3 }))).code).toBe('relay.destination-unreachable');
    await net.close();
  });
});
