import { Reader, type RelayCreate, decodeSelector } from '@matryoshka/wire';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Connection, ConnectOptions, MatryoshkaError } from '../src/index.ts';
import { TestNetwork, echo, intact, sample, serveEcho } from './network.ts';

const MARK = Buffer.from(sample(2000).subarray(1000, 1016));

afterEach(() => vi.restoreAllMocks());

/** Five nodes that know nothing of each other; E serves an echo. */
async function five(seed: number): Promise<TestNetwork> {
  const net = new TestNetwork(seed);
  await net.startAll(['A', 'B', 'C', 'D', 'E']);
  serveEcho(net.node('E'));
  return net;
}

/** A to E through B, C and D. */
function telescope(net: TestNetwork, options: ConnectOptions = {}): Promise<Connection> {
  return net.node('A').connect(net.address('E'), { path: ['B', 'C', 'D'].map((name) => net.address(name)), ...options });
}

/** Its connections as its status tells them, each with the name of its other end. */
function connectionsOf(net: TestNetwork, name: string) {
  return net
    .node(name)
    .status()
    .connections.map((connection) => ({ ...connection, name: net.nameOf(connection.peerId) }));
}

/** Everything a node was told by its own code. */
function told(net: TestNetwork, name: string): string {
  return JSON.stringify([net.node(name).status(), net.events.filter(({ node }) => node === name)]);
}

describe('the seed’s second table', () => {
  test('A reaches E over four hops, each asked by the one before, one round trip each', async () => {
    const net = await five(1);
    const heard = net.overhear();
    const connection = await net.run(telescope(net));
    expect(connection).toMatchObject({ kind: 'telescoped', peerId: net.node('E').peerId, authenticated: true, nesting: 3 });
    expect(connection.hops?.map(({ peerId }) => net.nameOf(peerId))).toEqual(['B', 'C', 'D', 'E']);
    const sessions = connectionsOf(net, 'A');
    expect(connection.carriers.map((id) => sessions.find((session) => session.id === id)?.name)).toEqual(['D', 'C', 'B']);
    expect(sessions.map(({ name, anonymous }) => [name, anonymous])).toEqual([
      ['B', false],
      ['C', true],
      ['D', true],
      ['E', true],
    ]);
    const creates = heard
      .filter(({ message }) => message.type === 'relay-create')
      .map(({ node, message }) => [node, (message as RelayCreate).hopsLeft]);
    // B is asked for C, which becomes the destination of the first link; C for D inside it; D for E inside that.
    expect(creates).toEqual([
      ['B', 1],
      ['C', 0],
      ['C', 1],
      ['D', 0],
      ['D', 1],
      ['E', 0],
    ]);
    expect(new Set(heard.map(({ message }) => 'port' in message && message.port)).size).toBe(3);
    expect(intact(await net.run(echo(connection, 300_000)))).toBe(true);
    await net.close();
    expect(net.holdings()).toEqual(net.nothing());
  });

  test('R12 each hop knows its neighbours and no more', async () => {
    const net = await five(2);
    const heard = net.overhear();
    const carried = new Map<string, Uint8Array[]>();
    net.overhearData((node, bytes) => carried.set(node, [...(carried.get(node) ?? []), bytes.slice()]));
    const connection = await net.run(telescope(net));
    expect(intact(await net.run(echo(connection, 30_000)))).toBe(true);
    const { relayLinks } = net.node('C').status();
    expect(relayLinks).toMatchObject([
      {
        // Someone behind B: no identity, and B's address.
        previousHop: { peerId: undefined, endpoint: expect.stringContaining(`${net.host('B')}:`) },
        nextHop: { peerId: net.node('D').peerId },
        destination: `${net.node('D').peerId}@${net.host('D')}:999`,
      },
    ]);
    expect(net.node('B').status().relayLinks).toMatchObject([
      { previousHop: { peerId: net.node('A').peerId }, destination: `${net.node('C').peerId}@${net.host('C')}:999` },
    ]);
    const view = net
      .node('E')
      .status()
      .connections.find(({ kind }) => kind === 'relayed');
    expect(view).toMatchObject({ peerId: undefined, authenticated: false, nesting: 1 });
    expect(net.nameOf(view?.remote)).toBe('D');

    // Who may have heard of whom, in whatever its code was handed.
    const neighbours: Record<string, readonly string[]> = { B: ['A', 'C'], C: ['B', 'D'], D: ['C', 'E'], E: ['D'] };
    for (const [name, allowed] of Object.entries(neighbours)) {
      const handed = heard.filter(({ node }) => node === name);
      for (const other of net.names.filter((each) => each !== name && !allowed.includes(each))) {
        const peer = net.node(other);
        expect(told(net, name), `${name} of ${other}`).not.toContain(peer.peerId);
        expect(told(net, name), `${name} of ${other}`).not.toContain(`${net.host(other)}:`);
        for (const { message } of handed) {
          if (message.type !== 'relay-create') continue;
          expect(message.destination.endpoint?.host, `${name} of ${other}`).not.toBe(net.host(other));
        }
      }
      const bytes = Buffer.concat(carried.get(name) ?? []);
      expect(bytes.includes(MARK)).toBe(false);
      for (const other of net.names)
        expect(bytes.includes(Buffer.from(net.node(other).identity.publicKey)), `${name} of ${other}`).toBe(false);
    }
    await net.close();
  });

  test('A shows E its identity only if it wants to, and the hops never', async () => {
    const net = await five(3);
    await net.run(telescope(net, { anonymous: false }));
    await net.settle();
    const of = (name: string): (string | undefined)[] =>
      net
        .node(name)
        .status()
        .connections.filter(({ kind }) => kind === 'relayed')
        .map(({ peerId }) => net.nameOf(peerId));
    expect({ C: of('C'), D: of('D'), E: of('E') }).toEqual({ C: [undefined], D: [undefined], E: ['A'] });
    await net.close();
  });

  test('fifteen hops, nested fourteen deep', async () => {
    const net = new TestNetwork(5);
    const names = Array.from({ length: 16 }, (_, i) => `N${i}`);
    await net.startAll(names);
    serveEcho(net.node('N15'));
    const connection = await net.run(
      net.node('N0').connect(net.address('N15'), { path: names.slice(1, 15).map((name) => net.address(name)) }),
    );
    expect(connection.nesting).toBe(14);
    const longest: number[] = [];
    net.world.network.tap((_from, _to, message) => longest.push(message.length));
    expect(intact(await net.run(echo(connection, 400_000)))).toBe(true);
    // Fifteen layers of records, and each still one message of a link.
    expect(Math.max(...longest)).toBeGreaterThan(64 * 1024 - 512);
    expect(Math.max(...longest)).toBeLessThanOrEqual(65_535);
    await net.close();
    expect(net.holdings()).toEqual(net.nothing());
  });

  test('connections that there are already are used', async () => {
    const net = await five(4);
    await net.connect('A', 'B');
    await net.connect('C', 'B');
    await net.connect('C', 'D');
    const before = net.world.network.traffic.messages;
    await net.run(telescope(net));
    await net.settle();
    const direct = (name: string): number =>
      net
        .node(name)
        .status()
        .connections.filter(({ kind }) => kind === 'direct').length;
    expect(['A', 'B', 'C', 'D', 'E'].map(direct)).toEqual([1, 2, 2, 2, 1]);
    expect(net.world.network.traffic.messages).toBeGreaterThan(before);
    await net.close();
  });
});

describe('a circuit', () => {
  test('its handshakes are NK to hops whose static key is known, XX otherwise', async () => {
    const net = await five(10);
    const heard = net.overhear();
    const { staticKey } = net.node('C');
    const connection = await net.run(telescope(net, { path: [net.address('B'), { peer: net.address('C'), staticKey }, net.address('D')] }));
    const patterns = heard
      .filter(({ message }) => message.type === 'relay-create' && message.hopsLeft === 0)
      .map(({ node, message }) => [node, decodeSelector(new Reader((message as RelayCreate).request)).pattern]);
    expect(patterns).toEqual([
      ['C', 'NK'],
      ['D', 'XX'],
      ['E', 'XX'],
    ]);
    expect(intact(await net.run(echo(connection, 1000)))).toBe(true);
    await net.close();
  });

  test('a static key that is not the hop’s fails there', async () => {
    const net = await five(11);
    const { code, message } = await net.failure(
      telescope(net, { path: [net.address('B'), { peer: net.address('C'), staticKey: net.node('D').staticKey }, net.address('D')] }),
    );
    expect(code).toBe('circuit.extend-failed');
    expect(message).toContain('hop 2');
    await net.close();
  });

  test.each([
    [2, 'C'],
    [3, 'D'],
    [4, 'E'],
  ])('another peer at hop %i (%s) is found out: extend-failed that names it, because of wrong-peer', async (index, name) => {
    const net = await five(12 + index);
    await net.start('X', '10.66.0.1');
    const forged = `${net.node('X').peerId}@${net.host(name)}:999`;
    const path = ['B', 'C', 'D'].map((each) => (each === name ? forged : net.address(each)));
    const { code, message, error } = await net.failure(net.node('A').connect(name === 'E' ? forged : net.address('E'), { path }));
    expect(code).toBe('circuit.extend-failed');
    expect(message).toContain(`hop ${index} (${net.host(name)}:999)`);
    expect((error.cause as MatryoshkaError).code).toBe('session.wrong-peer');
    expect((error.cause as MatryoshkaError).message).toContain(net.node('X').peerId);
    await net.settle(500);
    // What was built is closed; the connection to the first hop stays.
    expect(net.holdings()).toEqual(net.nothing());
    expect(net.node('A').connections.map(({ kind, peerId }) => [kind, net.nameOf(peerId)])).toEqual([['direct', 'B']]);
    await net.close();
  });

  test('another peer at the first hop is found out at once', async () => {
    const net = await five(17);
    const { code } = await net.failure(
      net.node('A').connect(net.address('E'), { path: [`${net.node('D').peerId}@${net.host('B')}:999`, net.address('C')] }),
    );
    expect(code).toBe('session.wrong-peer');
    await net.close();
  });

  test('a last hop that answers in E’s place is found out', async () => {
    const net = await five(18);
    net.overhear(({ node, message }) => (node === 'D' && message.type === 'relay-create' ? { ...message, hopsLeft: 0 } : message));
    const { code, message, error } = await net.failure(telescope(net));
    expect(code).toBe('circuit.extend-failed');
    expect(message).toContain('hop 4');
    expect((error.cause as MatryoshkaError).code).toBe('session.wrong-peer');
    expect((error.cause as MatryoshkaError).message).toContain(net.node('D').peerId);
    await net.close();
    expect(net.holdings()).toEqual(net.nothing());
  });

  test('shares nothing above its first hop with another one', async () => {
    const net = await five(20);
    const first = await net.run(telescope(net));
    const second = await net.run(telescope(net));
    await net.settle();
    const relayed = (name: string): number =>
      net
        .node(name)
        .status()
        .connections.filter(({ kind, role }) => kind === 'relayed' && role === 'responder').length;
    expect(['B', 'C', 'D', 'E'].map(relayed)).toEqual([0, 2, 2, 2]);
    expect(
      net
        .node('B')
        .status()
        .connections.filter(({ peerId }) => net.nameOf(peerId) === 'A').length,
    ).toBe(1);
    await net.run(first.close());
    await net.settle();
    expect(['B', 'C', 'D', 'E'].map(relayed)).toEqual([0, 1, 1, 1]);
    expect(intact(await net.run(echo(second, 50_000)))).toBe(true);
    await net.close();
  });

  test('its sessions carry nobody else: A serves relay links, and its circuit is no way on', async () => {
    const net = await five(21);
    await net.startAll(['F']);
    await net.run(telescope(net));
    await net.connect('F', 'A');
    // A has sessions to C, D and E, all of a circuit. F asks A for each of them by identity alone.
    for (const name of ['C', 'D', 'E']) {
      expect((await net.failure(net.node('F').connect(net.node(name).peerId, { hops: 2 }))).code).toBe('relay.destination-unreachable');
    }
    // And for a random hop A has B only.
    await net.run(net.node('F').connect(net.address('D'), { hops: 3 }));
    expect(
      net
        .node('A')
        .status()
        .relayLinks.map(({ nextHop }) => net.nameOf(nextHop?.peerId)),
    ).toEqual(['B']);
    await net.close();
  });

  test('closing it closes its sessions, innermost first, and nothing else', async () => {
    const net = await five(22);
    await net.connect('A', 'B', 'D');
    const connection = await net.run(telescope(net));
    const reasons: string[] = [];
    for (const name of ['C', 'D', 'E']) net.node(name).on('disconnected', ({ reason }) => reasons.push(`${name} ${reason.code}`));
    await net.run(connection.close());
    await net.settle();
    expect(connection.open).toBe(false);
    expect(reasons.toSorted()).toEqual(['C closed', 'D closed', 'E closed']);
    expect(net.node('A').connections.map(({ kind, peerId }) => [kind, net.nameOf(peerId)])).toEqual([
      ['direct', 'B'],
      ['direct', 'D'],
    ]);
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });

  test.each(['B', 'C', 'D'])('when %s dies in the middle of a transfer, both ends get a reason and nothing stays behind', async (name) => {
    const net = await five(30 + name.charCodeAt(0));
    const connection = await net.run(telescope(net));
    const ended: string[] = [];
    net.node('E').on('disconnected', ({ connection: { kind }, reason }) => kind === 'relayed' && ended.push(reason.code));
    const transfer = echo(connection, 3_000_000);
    await net.settle(200);
    net.world.network.crash(net.host(name));
    const { error } = await net.run(transfer);
    const reasons = ['relay.carrier-lost', 'session.link-lost', 'session.path-stalled'];
    expect(reasons).toContain(error?.code);
    const reason = await net.run(connection.closed);
    expect(reasons).toContain(reason.code);
    await net.settle(100_000);
    expect(ended.map((code) => reasons.includes(code))).toEqual([true]);
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });

  test('a hop that dies while the circuit is built: extend-failed', async () => {
    const net = await five(40);
    const building = telescope(net);
    net.world.clock.after(60, () => void net.world.network.crash(net.host('C')));
    const { code, error } = await net.failure(building);
    expect(code).toBe('circuit.extend-failed');
    expect(error.cause).toMatchObject({ code: expect.stringMatching(/^relay\./) });
    // Until B gives C up.
    await net.settle(40_000);
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });

  test('a hop that does not relay is named', async () => {
    const net = await five(41);
    net.node('C').setRelayEnabled(false);
    const { code, message, error, afterMs } = await net.failure(telescope(net));
    expect(code).toBe('circuit.extend-failed');
    expect(message).toContain('hop 2');
    expect(error.cause).toMatchObject({ code: 'relay.disabled' });
    expect(afterMs).toBeLessThan(200);
    await net.close();
  });

  test('given up while it is built, nothing stays behind', async () => {
    const net = await five(42);
    const controller = new AbortController();
    const building = telescope(net, { signal: controller.signal });
    net.world.clock.after(70, () => controller.abort());
    expect((await net.failure(building)).code).toBe('aborted');
    await net.settle(500);
    expect(net.holdings()).toEqual(net.nothing());
    expect(net.node('A').connections.every(({ kind }) => kind === 'direct')).toBe(true);
    await net.close();
  });

  test('paths that cannot be used are refused before anything is sent', async () => {
    const net = await five(43);
    const refused = async (path: ConnectOptions['path'], to = net.address('E')): Promise<string> => {
      const { code, message } = await net.failure(net.node('A').connect(to, { path: path as string[] }));
      return `${code}: ${message}`;
    };
    const [a, b, c, e] = ['A', 'B', 'C', 'E'].map((name) => net.address(name)) as [string, string, string, string];
    const before = net.world.network.traffic.messages;
    expect(await refused([])).toBe('circuit.path-invalid: a path has at least one peer');
    expect(await refused([b, c, b])).toBe(`circuit.path-invalid: ${net.node('B').peerId} is on the path twice`);
    expect(await refused([b, e])).toBe(`circuit.path-invalid: ${net.node('E').peerId} is on the path twice`);
    expect(await refused([b, a])).toBe(`circuit.path-invalid: ${net.node('A').peerId} is this node itself`);
    expect(await refused(['10.2.0.1:999'])).toBe(
      'circuit.path-invalid: 10.2.0.1:999 cannot be a hop: each needs a peer id and an endpoint, peerId@host:port',
    );
    expect(await refused([net.node('B').peerId])).toContain('circuit.path-invalid');
    expect(await refused([b], '10.5.0.1:999')).toContain('circuit.path-invalid: 10.5.0.1:999 cannot be a hop');
    expect(await refused([b, { peer: c, staticKey: new Uint8Array(31) }])).toBe(
      `circuit.path-invalid: a static key has 32 bytes, that of ${net.node('C').peerId} 31`,
    );
    expect(await refused(Array.from({ length: 15 }, () => b))).toBe('relay.hops-invalid: hops must be a whole number from 1 to 15, not 16');
    const both = await net.failure(net.node('A').connect(e, { path: [b], hops: 3 }));
    expect(both).toMatchObject({ code: 'config.invalid', message: expect.stringContaining('hops and path exclude each other') });
    expect(net.world.network.traffic.messages).toBe(before);
    await net.close();
  });
});
