import { portableProvider } from '@matryoshka/session';
import { createWorld, seededRandom } from '@matryoshka/simulation';
import { describe, expect, test } from 'vitest';
import { type Connection, type MatryoshkaError, type MatryoshkaNode, createNode, formatEndpoint, parseEndpoint } from '../src/index.ts';
import { TestNetwork, echo, intact, serveEcho } from './network.ts';

describe('connect', () => {
  test('goes to the connection there is, or makes one', async () => {
    const net = new TestNetwork(1);
    await net.startAll(['A', 'B']);
    serveEcho(net.node('B'));
    const first = await net.run(net.node('A').connect(net.address('B')));
    expect(await net.run(net.node('A').connect(net.address('B')))).toBe(first);
    expect(await net.run(net.node('A').connect(net.node('B').peerId))).toBe(first);
    expect(first).toMatchObject({
      kind: 'direct',
      role: 'initiator',
      authenticated: true,
      peerId: net.node('B').peerId,
      nesting: 0,
      open: true,
    });
    expect(intact(await net.run(echo(first, 1_000_000)))).toBe(true);
    // The other side has the same one, and needs no endpoint for it.
    const back = await net.run(net.node('B').connect(net.node('A').peerId));
    expect(back.role).toBe('responder');
    expect(net.node('A').connections).toEqual([first]);
    await net.close();
  });

  test('by a peer id finds a connection that is relayed, where there is no other way', async () => {
    const net = new TestNetwork(2);
    await net.startAll(['A', 'B', 'D']);
    await net.connect('A', 'B');
    await net.run(net.node('A').connect(net.address('D'), { hops: 2 }));
    await net.settle();
    expect((await net.run(net.node('D').connect(net.node('A').peerId))).kind).toBe('relayed');
    await net.close();
  });

  test('by a peer id finds configured peers, and says so if there is no way', async () => {
    const net = new TestNetwork(3);
    await net.startAll(['B', 'C']);
    await net.start('A', '10.50.0.1', { peers: [net.address('B')] });
    expect((await net.run(net.node('A').connect(net.node('B').peerId))).peerId).toBe(net.node('B').peerId);
    const { code, message } = await net.failure(net.node('A').connect(net.node('C').peerId));
    expect(code).toBe('node.peer-unknown');
    expect(message).toContain(net.node('C').peerId);
    await net.close();
  });

  test('anonymously makes a connection of its own', async () => {
    const net = new TestNetwork(4);
    await net.startAll(['A', 'B']);
    const known = await net.run(net.node('A').connect(net.address('B')));
    const unknown = await net.run(net.node('A').connect(net.address('B'), { anonymous: true }));
    expect(unknown).not.toBe(known);
    // Nor does the next one get an anonymous one.
    await net.run(known.close());
    expect(await net.run(net.node('A').connect(net.address('B')))).not.toBe(unknown);
    await net.settle();
    expect(net.node('B').connections.map(({ peerId }) => net.nameOf(peerId))).toEqual([undefined, 'A']);
    await net.close();
  });

  test('refuses oneself, wrong peers, and endpoints that no transport reaches', async () => {
    const net = new TestNetwork(5);
    await net.startAll(['A', 'B', 'C']);
    const a = net.node('A');
    expect((await net.failure(a.connect(net.address('A')))).code).toBe('session.self');
    expect((await net.failure(a.connect(`${net.host('A')}:999`))).code).toMatch(/^session\./);
    expect((await net.failure(a.connect(`${net.node('C').peerId}@${net.host('B')}:999`))).code).toBe('session.wrong-peer');
    expect((await net.failure(a.connect('wss://10.2.0.1:443'))).code).toBe('node.no-transport');
    expect((await net.failure(a.connect('10.99.0.1:999'))).code).toBe('transport.dial-failed');
    expect((await net.failure(a.connect('what?'))).code).toBe('wire.endpoint-syntax');
    await net.close();
  });

  test('ends with its signal, at any time', async () => {
    const net = new TestNetwork(6);
    await net.startAll(['A', 'B', 'C', 'D']);
    await net.connect('A', 'B');
    expect((await net.failure(net.node('A').connect(net.address('D'), { hops: 2, signal: AbortSignal.abort() }))).code).toBe('aborted');
    for (const afterMs of [1, 12, 25, 40]) {
      const controller = new AbortController();
      net.world.clock.after(afterMs, () => controller.abort());
      const attempt = net.node('A').connect(net.address('D'), { hops: 2, signal: controller.signal });
      const outcome = await net.run(
        attempt.then(
          (connection) => connection,
          (error: unknown) => error as MatryoshkaError,
        ),
      );
      if ('code' in outcome) expect(outcome.code).toBe('aborted');
      else await net.run(outcome.close());
    }
    await net.settle(40_000);
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });
});

describe('a node', () => {
  test('says what happens, and what it knows', async () => {
    const net = new TestNetwork(10);
    await net.startAll(['A', 'B']);
    const log: string[] = [];
    const stop = net.node('A').on('connection', ({ kind }) => log.push(`open ${kind}`));
    net.node('A').on('disconnected', ({ reason }) => log.push(`closed ${reason.code}`));
    const connection = await net.run(net.node('A').connect(net.address('B')));
    const status = JSON.parse(JSON.stringify(net.node('A').status()));
    expect(status).toMatchObject({
      peerId: net.node('A').peerId,
      listening: ['10.1.0.1:999'],
      relayEnabled: true,
      connections: [
        { kind: 'direct', role: 'initiator', peerId: net.node('B').peerId, authenticated: true, remote: '10.2.0.1:999', nesting: 0 },
      ],
      relayLinks: [],
      relayLinkEnds: 0,
      relayMemory: { takenBytes: 0, totalBytes: 268_435_456 },
    });
    await net.run(connection.close('stream.failed'));
    stop();
    await net.connect('A', 'B');
    expect(log).toEqual(['open direct', 'closed stream.failed']);
    await net.close();
  });

  test('R7 endpoints of relayed connections print with their relay port and parse back', async () => {
    const net = new TestNetwork(11);
    await net.startAll(['A', 'B']);
    const { local, remote } = await net.run(net.node('A').connect(net.address('B'), { hops: 1 }));
    expect(formatEndpoint(remote)).toMatch(/^10\.2\.0\.1:999:[1-9]\d*$/);
    for (const endpoint of [local, remote]) expect(parseEndpoint(formatEndpoint(endpoint))).toEqual(endpoint);
    expect(local.relayPort).toBe(remote.relayPort);
    expect(formatEndpoint(parseEndpoint('192.168.1.10:999:748383123929'))).toBe('192.168.1.10:999:748383123929');
    await net.close();
  });

  test('the connection of an event is the one that connect() returns', async () => {
    const net = new TestNetwork(12);
    await net.startAll(['A', 'B', 'C', 'D']);
    const seen: Connection[] = [];
    net.node('A').on('connection', (connection) => seen.push(connection));
    const connection = await net.run(net.node('A').connect(net.address('D'), { path: [net.address('B'), net.address('C')] }));
    expect(seen.at(-1)).toBe(connection);
    expect(seen.map(({ kind }) => kind)).toEqual(['direct', 'relayed', 'telescoped']);
    await net.close();
  });

  test('closes everything: connections, listeners, connects in progress and handshakes that are under way', async () => {
    const net = new TestNetwork(13);
    await net.startAll(['A', 'B', 'C']);
    await net.connect('A', 'B');
    const pending = [net.node('A').connect(net.address('C'), { hops: 2 }), net.node('C').connect(net.address('A'))].map((promise) =>
      promise.then(
        () => 'connected',
        ({ code }: MatryoshkaError) => code,
      ),
    );
    await net.settle(12);
    await net.run(net.node('A').close());
    await net.run(net.node('A').close());
    expect(await net.run(pending[0] as Promise<string>)).toBe('node.closed');
    await net.run(pending[1] as Promise<string>);
    await net.settle(30_000);
    for (const name of ['A', 'B', 'C'])
      expect(net.node(name).connections.filter(({ peerId }) => peerId === net.node('A').peerId || name === 'A')).toEqual([]);
    expect((await net.failure(net.node('A').connect(net.address('B')))).code).toBe('node.closed');
    expect((await net.failure(net.node('B').connect(net.address('A')))).code).toMatch(/^transport\.|^session\./);
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });

  test('tells its peers that it stops', async () => {
    const net = new TestNetwork(14);
    await net.startAll(['A', 'B', 'C', 'D']);
    serveEcho(net.node('D'));
    await net.connect('A', 'B');
    await net.connect('B', 'C');
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    const reasons: string[] = [];
    net.node('D').on('disconnected', ({ connection: { kind }, reason }) => kind === 'relayed' && reasons.push(reason.code));
    const transfer = echo(connection, 3_000_000);
    await net.settle(60);
    await net.run(net.node('A').close());
    expect((await net.run(transfer)).error?.code).toBe('shutdown');
    await net.settle(1000);
    expect(reasons).toEqual(['shutdown']);
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });

  test('has the same identity from the same seed', async () => {
    const { clock, network, run } = createWorld({ seed: 16 });
    const identity = new Uint8Array(32).fill(5);
    const make = (host: string): Promise<MatryoshkaNode> =>
      run(createNode({ identity, transports: [network.host(host)], provider: portableProvider, clock, random: seededRandom(1) }));
    const [a, b] = [await make('10.1.0.1'), await make('10.2.0.1')];
    expect(a.peerId).toBe(b.peerId);
    expect(a.identity.seed).toEqual(identity);
    await run(Promise.all([a.close(), b.close()]));
  });

  test('that cannot listen where it should is not made', async () => {
    const { clock, network, run } = createWorld({ seed: 15 });
    const make = (listen: string): Promise<unknown> =>
      createNode({ transports: [network.host('10.1.0.1')], listen: [listen], provider: portableProvider, clock, random: seededRandom(1) });
    await run(make('10.1.0.1:999'));
    await expect(run(make('10.1.0.1:999'))).rejects.toMatchObject({ code: 'transport.listen-failed' });
    await expect(run(make('ws://10.1.0.1:80'))).rejects.toMatchObject({
      code: 'node.no-transport',
      message: 'no transport of this node can listen on ws://10.1.0.1:80',
    });
    await expect(make('10.1.0.1')).rejects.toMatchObject({ code: 'config.invalid' });
  });

  test('with another network key finds nobody, and is told the usual causes', async () => {
    const net = new TestNetwork(16);
    await net.startAll(['B']);
    await net.start('A', '10.50.0.1', { networkKey: new Uint8Array(32).fill(1) });
    const { code, message } = await net.failure(net.node('A').connect(net.address('B')));
    expect(code).toBe('session.handshake-no-answer');
    expect(message).toContain('another network key');
    await net.close();
  });
});
