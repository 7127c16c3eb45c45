import { parseEndpoint as parse } from '@matryoshka/wire';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { TestNetwork, echo, intact, sample, serveEcho } from './network.ts';

/** A part of what is echoed, too long to occur by chance. */
const MARK = Buffer.from(sample(2000).subarray(1000, 1016));

afterEach(() => vi.restoreAllMocks());

/** The seed's first table: A wants D over 3 hops; B has five other connections to choose from. */
async function table(seed: number): Promise<TestNetwork> {
  const net = new TestNetwork(seed);
  await net.startAll(['A', 'B', 'C1', 'C2', 'C3', 'C4', 'C5', 'D']);
  serveEcho(net.node('D'));
  await net.connect('A', 'B');
  await net.connect('B', 'C1', 'C2', 'C3');
  // It does not matter who connected to whom.
  await net.connect('C4', 'B');
  await net.connect('C5', 'B');
  return net;
}

describe('the seed’s first table, step by step', () => {
  test('R3 each asks the next one with a hop less; R6 for the same port; D sees the last relay only', async () => {
    const net = await table(1);
    const heard = net.overhear();
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));

    const creates = heard.filter(({ message }) => message.type === 'relay-create');
    const c = creates[1]?.node as string;
    expect(c).toMatch(/^C[1-5]$/);
    expect(creates.map(({ node, message }) => [node, 'hopsLeft' in message && message.hopsLeft])).toEqual([
      ['B', 2],
      [c, 1],
      ['D', 0],
    ]);
    const port = connection.remote.relayPort as bigint;
    expect(port).toBeGreaterThan(0n);
    expect(heard.every(({ message }) => 'port' in message && message.port === port)).toBe(true);
    // Accepted travels back D, C, B, A.
    const statuses = heard.filter(({ message }) => message.type === 'relay-status');
    expect(statuses.map(({ node }) => node)).toEqual([c, 'B', 'A']);

    // R7: what A and D see of each other.
    await net.settle();
    expect(connection).toMatchObject({ kind: 'relayed', authenticated: true, peerId: net.node('D').peerId, nesting: 1 });
    const view = net
      .node('D')
      .status()
      .connections.find(({ kind }) => kind === 'relayed');
    expect(view).toMatchObject({ peerId: net.node('A').peerId, authenticated: true, role: 'responder', nesting: 1 });
    expect(net.nameOf(view?.remote)).toBe(c);
    expect(view?.remote).toMatch(new RegExp(`:${port}$`));
    expect(parse(view?.remote as string).relayPort).toBe(port);
    expect(
      net
        .node('A')
        .status()
        .connections.find(({ kind }) => kind === 'relayed')?.remote,
    ).toBe(`${net.host('D')}:999:${port}`);

    expect(intact(await net.run(echo(connection, 500_000)))).toBe(true);
    await net.run(connection.close());
    await net.settle();
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });

  test('R11 D learns who A is only if A shows it, and never where A is', async () => {
    const net = await table(2);
    await net.run(net.node('A').connect(net.address('D'), { hops: 3, anonymous: true }));
    await net.settle();
    const status = net.node('D').status();
    const view = status.connections.find(({ kind }) => kind === 'relayed');
    expect(view).toMatchObject({ peerId: undefined, authenticated: false });
    const text = JSON.stringify(status);
    expect(text).not.toContain(net.host('A'));
    expect(text).not.toContain(net.node('A').peerId);
    await net.close();
  });

  test('R9 the last relay connects to D if it has to, uses the connection it has otherwise, and lets it go when idle', async () => {
    const net = await table(3);
    const first = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    await net.settle();
    const last = net.nameOf(
      first.remote &&
        net
          .node('D')
          .status()
          .connections.find(({ kind }) => kind === 'direct')?.remote,
    ) as string;
    const direct = (): number =>
      net
        .node('D')
        .status()
        .connections.filter(({ kind }) => kind === 'direct').length;
    expect(direct()).toBe(1);
    // Two hops through that relay: the same connection.
    const second = await net.run(net.node('B').connect(net.address('D'), { hops: 2, gateway: net.node(last).peerId }));
    expect(direct()).toBe(1);
    await net.run(first.close());
    await net.settle(60_000);
    expect(direct()).toBe(1);
    await net.run(second.close());
    await net.settle(29_000);
    expect(direct()).toBe(1);
    await net.settle(1500);
    expect(direct()).toBe(0);
    // Those that somebody asked for stay.
    expect(net.node('A').connections.length).toBe(1);
    await net.close();
  });

  test('R4 which of its connections B chooses is random', async () => {
    const net = await table(4);
    const chosen = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
      const [link] = net.node('B').status().relayLinks;
      chosen.add(net.nameOf(link?.nextHop?.peerId) as string);
      await net.run(connection.close());
      await net.settle();
    }
    expect(chosen.size).toBeGreaterThanOrEqual(4);
    expect([...chosen].every((name) => /^C\d$/.test(name))).toBe(true);
    await net.close();
  });

  test('B with no other connection than A says so: relay.no-peers-available', async () => {
    const net = new TestNetwork(5);
    await net.startAll(['A', 'B', 'D']);
    await net.connect('A', 'B');
    const { code, afterMs } = await net.failure(net.node('A').connect(net.address('D'), { hops: 3 }));
    expect(code).toBe('relay.no-peers-available');
    expect(afterMs).toBeLessThan(100);
    expect(net.holdings()).toEqual(net.nothing());
    await net.close();
  });
});

describe('R12 what relays know', () => {
  test('a relay is handed the neighbours, the destination, hops left, port and sizes, and nothing else', async () => {
    const net = await table(10);
    const heard = net.overhear();
    const carried = new Map<string, Uint8Array[]>();
    net.overhearData((node, bytes) => carried.set(node, [...(carried.get(node) ?? []), bytes.slice()]));
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    const c = heard.filter(({ message }) => message.type === 'relay-create')[1]?.node as string;
    expect(intact(await net.run(echo(connection, 30_000)))).toBe(true);

    for (const [relay, previous, next] of [
      ['B', 'A', c],
      [c, 'B', 'D'],
    ] as const) {
      // Messages: exactly these fields, from exactly these neighbours.
      const messages = heard.filter(({ node }) => node === relay);
      const fields = Object.fromEntries(messages.map(({ message }) => [message.type, Object.keys(message).toSorted()]));
      expect(fields).toEqual({
        'relay-create': ['attemptsLeft', 'budgetMs', 'destination', 'hopsLeft', 'port', 'request', 'type', 'window'],
        'relay-status': ['answer', 'limits', 'port', 'status', 'type', 'window'],
      });
      expect(new Set(messages.map(({ session }) => net.nameOf(session.remote.authenticated ? session.remote.peerId : undefined)))).toEqual(
        new Set([previous, next]),
      );
      // What its user is told.
      const [link] = net.node(relay).status().relayLinks;
      expect(Object.keys(link as object).toSorted()).toEqual([
        'bytesBackward',
        'bytesForward',
        'destination',
        'hopsLeft',
        'nextHop',
        'nextPort',
        'port',
        'previousHop',
        'state',
      ]);
      expect(link).toMatchObject({
        state: 'open',
        previousHop: { peerId: net.node(previous).peerId },
        nextHop: { peerId: net.node(next).peerId },
        destination: `${net.node('D').peerId}@${net.host('D')}:999`,
      });
      expect(link?.bytesForward).toBeGreaterThan(30_000);
      expect(link?.bytesBackward).toBeGreaterThan(30_000);
      // Neither the content nor who asks is in any byte of it.
      const bytes = Buffer.concat([
        ...(carried.get(relay) ?? []),
        ...messages.flatMap(({ message }) => ('request' in message ? [message.request] : 'answer' in message ? [message.answer] : [])),
      ]);
      expect(bytes.length).toBeGreaterThan(60_000);
      expect(bytes.includes(MARK)).toBe(false);
      expect(bytes.includes(Buffer.from('/echo/1'))).toBe(false);
      expect(bytes.includes(Buffer.from(net.node('A').identity.publicKey))).toBe(false);
      expect(bytes.includes(Buffer.from(net.node('D').identity.publicKey))).toBe(false);
    }
    // C does not know of A at all.
    const told = JSON.stringify([net.node(c).status(), net.events.filter(({ node }) => node === c)]);
    expect(told).not.toContain(net.host('A'));
    expect(told).not.toContain(net.node('A').peerId);
    await net.close();
  });

  test('R11 nobody on the wires sees the content either', async () => {
    const net = await table(11);
    const wires: Uint8Array[] = [];
    net.world.network.tap((_from, _to, message) => wires.push(message.slice()));
    const connection = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
    expect(intact(await net.run(echo(connection, 10_000)))).toBe(true);
    const bytes = Buffer.concat(wires);
    expect(bytes.includes(MARK)).toBe(false);
    expect(bytes.includes(Buffer.from('/echo/1'))).toBe(false);
    await net.close();
  });
});

test('a peer that is named by its id is where its relay is for nobody: the same relay leads to it once more', async () => {
  const net = new TestNetwork(30);
  await net.startAll(['A', 'B', 'D']);
  serveEcho(net.node('D'));
  await net.connect('A', 'B');
  await net.connect('D', 'B');
  for (let time = 0; time < 2; time++) {
    const connection = await net.run(net.node('A').connect(net.node('D').peerId, { hops: 2 }));
    expect(connection).toMatchObject({ kind: 'relayed', authenticated: true });
    await net.settle();
  }
  await net.close();
});
