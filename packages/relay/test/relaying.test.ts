import type { Link } from '@matryoshka/transport';
import { Recorder } from '@matryoshka/transport/contract';
import { HANDSHAKE_ANSWER_LENGTH, MatryoshkaError, type Message, type RelayCreate } from '@matryoshka/wire';
import { describe, expect, test, vi } from 'vitest';
import type { AcceptRequest, RelayService } from '../src/index.ts';
import { fakeSession } from './fake-session.ts';
import { Party, type RelayWorld, holdings, nothing, openLink, row, someRequest } from './relay-world.ts';

/** The code that `promise` fails with, and when. */
async function failure({ world }: RelayWorld, promise: Promise<unknown>): Promise<{ readonly code: string; readonly afterMs: number }> {
  const from = world.clock.now();
  const error: unknown = await world.run(promise).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { code: error instanceof MatryoshkaError ? error.code : `no failure: ${String(error)}`, afterMs: world.clock.now() - from };
}

/** A request as somebody makes it who does not use a relay service. */
function create(more: Partial<RelayCreate> & Pick<RelayCreate, 'destination'>): RelayCreate {
  return {
    type: 'relay-create',
    port: 77n,
    hopsLeft: 1,
    attemptsLeft: 4,
    budgetMs: 10_000,
    window: 100_000,
    request: someRequest(),
    ...more,
  };
}

/** Relay messages that come to `party`, as its code is handed them. */
function overhear(party: Party): Message[] {
  const heard: Message[] = [];
  const message = party.relay.message.bind(party.relay);
  vi.spyOn(party.relay, 'message').mockImplementation((session, each) => {
    heard.push(structuredClone(each));
    message(session, each);
  });
  return heard;
}

function pair(net: RelayWorld): [Party, Party] {
  return [net.parties[0] as Party, net.parties.at(-1) as Party];
}

const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31) & 255);

describe('R3, R6, R15 a request', () => {
  test('is sent on with one hop less, the same port, fewer attempts and less time', async () => {
    const net = await row(4, 1);
    const heard = net.parties.map(overhear);
    const { near } = await openLink(net);
    const creates = heard.map((messages) => messages.find(({ type }) => type === 'relay-create') as RelayCreate | undefined);
    expect(creates.map((each) => each?.hopsLeft)).toEqual([undefined, 2, 1, 0]);
    const [, b, c, d] = creates as [undefined, RelayCreate, RelayCreate, RelayCreate];
    expect(b.port).not.toBe(0n);
    expect([c.port, d.port, near.local.relayPort, near.remote.relayPort]).toEqual([b.port, b.port, b.port, b.port]);
    expect(b.attemptsLeft).toBeGreaterThanOrEqual(4);
    expect(b.attemptsLeft).toBeLessThanOrEqual(8);
    expect(c.attemptsLeft).toBeLessThan(b.attemptsLeft);
    expect(d.attemptsLeft).toBeLessThan(c.attemptsLeft);
    expect(b.budgetMs).toBeGreaterThanOrEqual(10_000);
    expect(b.budgetMs).toBeLessThanOrEqual(30_000);
    expect(c.budgetMs).toBeLessThan(b.budgetMs);
    expect(d.budgetMs).toBeLessThan(c.budgetMs);
    expect(c.destination).toEqual(b.destination);
    near.close();
  });

  test('draws another port each time', async () => {
    const net = await row(2, 2);
    const links = [await openLink(net), await openLink(net), await openLink(net)];
    expect(new Set(links.map(({ near }) => near.local.relayPort)).size).toBe(3);
  });

  test('for a port that the relay has on any session is refused', async () => {
    const net = await row(3, 3);
    const [a, b, c] = net.parties as [Party, Party, Party];
    const { near } = await openLink(net);
    const heard = overhear(c);
    // C asks B for the port that is in use between A and B, and on to C.
    c.send(b, create({ destination: a.destination, port: near.local.relayPort as bigint }));
    await net.world.clock.advance(100);
    expect(heard).toEqual([expect.objectContaining({ type: 'relay-status', status: 'refused', reason: 'relay.port-in-use' })]);
    const forA = overhear(a);
    a.send(b, create({ destination: c.destination, port: near.local.relayPort as bigint }));
    await net.world.clock.advance(100);
    expect(forA).toEqual([expect.objectContaining({ reason: 'relay.port-in-use' })]);
  });

  test('a destination looks at its one session only', async () => {
    const net = await row(3, 4);
    const [a, b, c] = net.parties as [Party, Party, Party];
    a.send(b, create({ destination: b.destination, hopsLeft: 0 }));
    c.send(b, create({ destination: b.destination, hopsLeft: 0 }));
    await net.world.clock.advance(100);
    expect(b.arrived.length).toBe(2);
    a.send(b, create({ destination: b.destination, hopsLeft: 0 }));
    await net.world.clock.advance(100);
    expect(b.arrived.length).toBe(2);
  });

  test('after port-in-use another candidate is asked, and none is asked twice', async () => {
    const net = await row(2, 5);
    const { world } = net;
    const [a, b] = net.parties as [Party, Party];
    const others = [11, 12, 13].map((i) => new Party(world, `10.${i}.0.1`, 500 + i));
    const d = new Party(world, '10.50.0.1', 600);
    const someone = new Party(world, '10.60.0.1', 601);
    for (const party of [...others, d]) await party.listen();
    for (const party of others) {
      await world.run(b.dial(party.endpoint));
      await world.run(someone.dial(party.endpoint));
    }
    await world.clock.advance(100);
    // All but one hold the port already, as if the request had come in a circle.
    for (const party of [others[0], others[2]] as Party[])
      someone.send(party, create({ destination: party.destination, hopsLeft: 0, port: 99n }));
    await world.clock.advance(100);
    const heard = others.map(overhear);
    a.send(b, create({ destination: d.destination, hopsLeft: 2, port: 99n, attemptsLeft: 8 }));
    await world.clock.advance(1000);
    expect(d.arrived.length).toBe(1);
    for (const messages of heard) expect(messages.filter(({ type }) => type === 'relay-create').length).toBeLessThanOrEqual(1);
  });

  test('when all candidates are used up the refusal is no-peers-available', async () => {
    const net = await row(3, 6);
    const [a, b, c] = net.parties as [Party, Party, Party];
    const heard = overhear(a);
    const refuse = vi.spyOn(c.relay, 'message').mockImplementation((session, message) => {
      if (message.type === 'relay-create')
        session.send({
          type: 'relay-status',
          port: message.port,
          status: 'refused',
          reason: 'relay.port-in-use',
          retryAfterMs: 0,
          limits: { bytesPerSecond: 0, maxBytes: 0, maxAgeMs: 0 },
        });
    });
    a.send(b, create({ destination: { peer: new Uint8Array(32) }, hopsLeft: 2 }));
    await net.world.clock.advance(1000);
    expect(refuse).toHaveBeenCalledTimes(1);
    expect(heard).toEqual([expect.objectContaining({ status: 'refused', reason: 'relay.no-peers-available' })]);
    expect(holdings(net.parties)).toEqual(nothing(net.parties));
  });

  test('a next hop that is lost before it answers is replaced by another one', async () => {
    const net = await row(2, 7);
    const { world } = net;
    const [a, b] = net.parties as [Party, Party];
    const others = [11, 12].map((i) => new Party(world, `10.${i}.0.1`, 700 + i));
    const d = new Party(world, '10.50.0.1', 800);
    for (const party of [...others, d]) await party.listen();
    for (const party of others) {
      await world.run(b.dial(party.endpoint));
      vi.spyOn(party.relay, 'message').mockImplementationOnce((session) => session.close(new MatryoshkaError('shutdown')));
    }
    // Both close when asked; d is the last candidate.
    await world.run(b.dial(d.endpoint));
    await world.clock.advance(100);
    const heard = overhear(a);
    const askedD = overhear(d);
    a.send(b, create({ destination: { peer: new Uint8Array(32) }, hopsLeft: 2, attemptsLeft: 8 }));
    await world.clock.advance(1000);
    expect(askedD.length).toBe(1);
    expect(heard).toEqual([expect.objectContaining({ reason: 'relay.destination-unreachable' })]);
  });

  test('that nobody answers ends when its time is up, and nothing stays behind', async () => {
    const net = await row(3, 8);
    const [a, d] = pair(net);
    const { code, afterMs } = await failure(net, a.open(net.parties[1] as Party, d, 2));
    expect(code).toBe('relay.timeout');
    expect(afterMs).toBeGreaterThanOrEqual(9_000);
    expect(afterMs).toBeLessThan(33_000);
    await net.world.clock.advance(1000);
    expect(holdings(net.parties)).toEqual(nothing(net.parties));
  });

  test('ends at the originator, too, where the gateway never answers', async () => {
    const net = await row(2, 9);
    const [a, b] = net.parties as [Party, Party];
    vi.spyOn(b.relay, 'message').mockImplementation(() => {});
    expect((await failure(net, a.open(b, b, 1))).code).toBe('relay.timeout');
    expect(holdings(net.parties)).toEqual(nothing(net.parties));
  });

  test('given up by its maker is given up everywhere', async () => {
    const net = await row(4, 10);
    const [a, d] = pair(net);
    const controller = new AbortController();
    const opening = a.open(net.parties[1] as Party, d, 3, undefined, controller.signal);
    await net.world.clock.advance(200);
    expect(d.arrived.length).toBe(1);
    controller.abort();
    expect((await failure(net, opening)).code).toBe('aborted');
    await net.world.clock.advance(100);
    const far = new Recorder();
    d.arrived[0]?.link.attach(far);
    await net.world.clock.advance(100);
    expect(far.reasons[0]?.code).toBe('aborted');
    expect(holdings(net.parties)).toEqual(nothing(net.parties));
    expect((await failure(net, a.open(net.parties[1] as Party, d, 3, undefined, controller.signal))).code).toBe('aborted');
  });

  test('with 0, 16 or 1.5 hops is not even made', async () => {
    const net = await row(2, 11);
    const [a, b] = net.parties as [Party, Party];
    for (const hops of [0, 16, 1.5]) {
      const error: unknown = await a.open(b, b, hops).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'relay.hops-invalid', message: `hops must be a whole number from 1 to 15, not ${hops}` });
    }
  });

  test('for more hops than there can be is refused', async () => {
    const net = await row(2, 12);
    const [a, b] = net.parties as [Party, Party];
    const heard = overhear(a);
    a.send(b, create({ destination: b.destination, hopsLeft: 15 }));
    await net.world.clock.advance(100);
    expect(heard).toEqual([expect.objectContaining({ reason: 'relay.hops-invalid' })]);
  });

  test('nested deeper than fifteen is refused, on either side', async () => {
    const net = await row(2, 14);
    const [a, b] = net.parties as [Party, Party];
    const carriers = Array.from({ length: 15 }, (_, i) => `c${i}`);
    const deep = fakeSession({ carriers });
    const opening = a.relay.open({ gateway: deep, destination: b.destination, remote: b.endpoint, hops: 1 }, someRequest());
    expect((await failure(net, opening)).code).toBe('relay.nesting-exceeded');
    b.relay.message(deep, create({ destination: b.destination, hopsLeft: 0 }));
    expect(deep.sent).toEqual([expect.objectContaining({ status: 'refused', reason: 'relay.nesting-exceeded' })]);
    const allowed = fakeSession({ carriers: carriers.slice(1) });
    b.relay.message(allowed, create({ destination: b.destination, hopsLeft: 0 }));
    expect(b.arrived[0]?.link.info).toMatchObject({ kind: 'relayed', nesting: 15 });
  });

  test('that asks for more attempts and time than there are gets no more', async () => {
    const net = await row(3, 15);
    const [a, b, c] = net.parties as [Party, Party, Party];
    const heard = overhear(c);
    a.send(b, create({ destination: c.destination, attemptsLeft: 255, budgetMs: 65_535 }));
    await net.world.clock.advance(100);
    const asked = heard[0] as RelayCreate;
    expect(asked.attemptsLeft).toBeLessThan(8);
    expect(asked.budgetMs).toBeLessThan(30_000);
  });

  test('that comes just before the hello of a new neighbour waits for it', async () => {
    const net = await row(3, 16);
    const { world } = net;
    const [, b, c] = net.parties as [Party, Party, Party];
    const d = new Party(world, '10.50.0.1', 1690);
    const asker = new Party(world, '10.60.0.1', 1691);
    for (const party of [d, asker]) await party.listen();
    await world.run(c.dial(d.endpoint));
    await world.run(asker.dial(b.endpoint));
    await world.clock.advance(100);
    b.to(c).close(new MatryoshkaError('shutdown'));
    b.to(net.parties[0] as Party).close(new MatryoshkaError('shutdown'));
    await world.clock.advance(100);
    const heard = overhear(asker);
    const previous = b.to(asker);
    const again = b.dial(c.endpoint);
    let greeted: boolean | undefined;
    void again.then((session) => {
      greeted = session.hello !== undefined;
      b.relay.message(previous, create({ destination: d.destination, hopsLeft: 2 }));
    });
    await world.run(again);
    await world.clock.advance(100);
    expect(greeted).toBe(false);
    expect(heard).toEqual([]);
    expect(d.arrived.length).toBe(1);
  });

  test('without relay memory is refused as busy, on either side', async () => {
    const net = await row(2, 13, [{ relayMemoryBytes: 1000 }, { relayMemoryBytes: 1000 }]);
    const [a, b] = net.parties as [Party, Party];
    expect((await failure(net, a.open(b, b, 1))).code).toBe('relay.busy');
    const heard = overhear(a);
    a.send(b, create({ destination: b.destination, hopsLeft: 0 }));
    await net.world.clock.advance(100);
    expect(heard).toEqual([expect.objectContaining({ reason: 'relay.busy' })]);
  });
});

describe('R1 serving is switched', () => {
  test('off: a request is refused at once, and nothing about the neighbour changes', async () => {
    const net = await row(2, 20, [{}, { enabled: false }]);
    const [a, b] = net.parties as [Party, Party];
    for (let i = 0; i < 5; i++) {
      const { code, afterMs } = await failure(net, a.open(b, b, 1));
      expect(code).toBe('relay.disabled');
      expect(afterMs).toBeLessThan(50);
    }
    expect(a.to(b).sending).toBe(true);
    expect(b.to(a).sending).toBe(true);
  });

  test('off while running: both ends of what is forwarded hear relay.disabled, at once', async () => {
    const net = await row(4, 21);
    const { near, far } = await openLink(net);
    const owners = [near, far].map((link) => {
      const owner = new Recorder();
      link.attach(owner);
      return owner;
    });
    (net.parties[2] as Party).relay.setEnabled(false);
    await net.world.clock.advance(50);
    expect(owners.map(({ reasons }) => reasons.map(({ code }) => code))).toEqual([['relay.disabled'], ['relay.disabled']]);
    expect(holdings(net.parties)).toEqual(nothing(net.parties));
  });

  test('off at the destination ends what ends there; one’s own links stay', async () => {
    const net = await row(2, 22);
    const [a, b] = net.parties as [Party, Party];
    const there = await openLink(net);
    const back = await openLink({ world: net.world, parties: [b, a] });
    b.relay.setEnabled(false);
    await net.world.clock.advance(50);
    expect(there.near.send([new Uint8Array(1)])).toBe(false);
    expect(back.near.send([new Uint8Array(1)])).toBe(true);
    b.relay.setEnabled(true);
    await openLink(net);
  });

  test('forward: false still lets it be a destination', async () => {
    const net = await row(3, 23, [{}, { forward: false }]);
    const [a, b, c] = net.parties as [Party, Party, Party];
    expect((await failure(net, a.open(b, c, 2))).code).toBe('relay.disabled');
    await openLink({ world: net.world, parties: [a, b] });
  });
});

describe('R8 links on one connection', () => {
  const LENGTH = 32_768;

  /** Sends `count` messages as the link takes them. */
  function sendMany(link: Link, count: number): void {
    let sent = 0;
    const message = bytesOf(LENGTH);
    const pump = (): void => {
      while (sent < count) {
        sent++;
        if (!link.send([message])) return;
      }
    };
    link.attach(Object.assign(new Recorder(), { writable: pump }));
    pump();
  }

  test('one that nobody reads does not delay another, and keeps no more than its window anywhere', async () => {
    const net = await row(4, 30);
    const time = async (): Promise<number> => {
      const { near, far } = await openLink(net);
      const reader = new Recorder();
      far.attach(reader);
      const from = net.world.clock.now();
      sendMany(near, 60);
      await net.world.run(reader.until(({ messages }) => messages.length === 60));
      near.close();
      return net.world.clock.now() - from;
    };
    // The first one measures the way, too.
    await time();
    const alone = await time();
    const stuck = await openLink(net);
    stuck.far.pause();
    stuck.far.attach(new Recorder());
    sendMany(stuck.near, 200);
    await net.world.clock.advance(2000);
    const beside = await time();
    expect(beside).toBeLessThan(1.5 * alone);
    for (const party of net.parties.slice(1, 3)) {
      const [link] = [...party.relay.served];
      const waiting = link?.downstream?.egress.pendingBytes ?? 0;
      expect(waiting).toBeGreaterThan(0);
      expect(waiting).toBeLessThanOrEqual(2 * 1024 * 1024);
    }
    for (const party of net.parties) expect(party.relay.pool.takenBytes).toBeLessThanOrEqual(8 * 1024 * 1024);
    stuck.far.resume();
    await net.world.clock.advance(3000);
    for (const party of net.parties.slice(1, 3)) expect([...party.relay.served][0]?.downstream?.egress.pendingBytes).toBe(0);
  });

  test('many share it, fairly, and each gets its own bytes', async () => {
    const net = await row(3, 31);
    const links = [];
    for (let i = 0; i < 20; i++) links.push(await openLink(net));
    const readers = links.map(({ far }) => {
      const reader = new Recorder();
      far.attach(reader);
      return reader;
    });
    for (const [i, { near }] of links.entries()) for (let j = 0; j < 10; j++) near.send([bytesOf(10_000).fill(i, 0, 100)]);
    await net.world.run(Promise.all(readers.map((reader) => reader.until(({ messages }) => messages.length === 10))));
    for (const [i, { messages }] of readers.entries())
      expect(messages.every((message) => message[0] === i && message[99] === i && message.length === 10_000)).toBe(true);
    for (const { near } of links) near.close();
    await net.world.clock.advance(1000);
    expect(holdings(net.parties)).toEqual(nothing(net.parties));
  });

  test('small windows slow a link down and lose nothing', async () => {
    const net = await row(4, 32, [{}, { relayMemoryBytes: 16_384 }, { relayMemoryBytes: 16_384 }, {}]);
    const { near, far } = await openLink(net);
    const reader = new Recorder();
    far.attach(reader);
    const messages = [65_535, 1, 2048, 40_000, 3].map(bytesOf);
    for (const message of messages) near.send([message]);
    near.close();
    await net.world.run(reader.until(({ reasons }) => reasons.length > 0));
    expect(reader.messages.length).toBe(messages.length);
    for (const [i, message] of messages.entries()) expect(Buffer.compare(reader.messages[i] as Uint8Array, message)).toBe(0);
  });

  test('what was sent before the close arrives over a path that is silent for a while', async () => {
    const net = await row(3, 34);
    const { near, far } = await openLink(net);
    const reader = new Recorder();
    far.attach(reader);
    near.attach(new Recorder());
    net.world.network.silence('10.2.0.1', '10.3.0.1', 12_000);
    for (let i = 0; i < 60; i++) near.send([bytesOf(LENGTH)]);
    near.close();
    await net.world.run(reader.until(({ reasons }) => reasons.length > 0));
    expect([reader.messages.length, reader.reasons[0]?.code]).toEqual([60, 'closed']);
    expect(net.world.clock.now()).toBeGreaterThan(12_000);
    await net.world.clock.advance(100);
    expect(holdings(net.parties)).toEqual(nothing(net.parties));
  });

  test('a link that is closed while nobody reads is over in bounded time, on every node', async () => {
    const net = await row(4, 33);
    const { near, far } = await openLink(net);
    far.pause();
    const [owner, reader] = [new Recorder(), new Recorder()];
    far.attach(reader);
    sendMany(near, 300);
    await net.world.clock.advance(1000);
    near.attach(owner);
    near.close();
    await net.world.clock.advance(30_100);
    expect(owner.reasons.map(({ code }) => code)).toEqual(['closed']);
    await net.world.clock.advance(60_100);
    // What has come is still there for the reader, and the close comes after it.
    expect(reader.messages.length).toBe(0);
    expect(holdings(net.parties.slice(0, 3))).toEqual(nothing(net.parties.slice(0, 3)));
    far.resume();
    await net.world.clock.advance(100);
    expect(reader.messages.length).toBeGreaterThan(0);
    expect(reader.reasons.map(({ code }) => code)).toEqual(['closed']);
    expect(holdings(net.parties)).toEqual(nothing(net.parties));
  });
});

describe('R10 the destination decides', () => {
  async function withHook(
    seed: number,
    accept: (request: AcceptRequest) => boolean | Promise<boolean>,
    more: object = {},
  ): Promise<RelayWorld> {
    return row(3, seed, [{}, {}, { accept, ...more }]);
  }
  const open = (net: RelayWorld): Promise<Link> => (net.parties[0] as Party).open(net.parties[1] as Party, net.parties[2] as Party, 2);
  const destination = (net: RelayWorld): Party => net.parties[2] as Party;

  test('its hook sees the last relay and the port, and nobody else', async () => {
    const seen: AcceptRequest[] = [];
    const net = await withHook(40, (request) => seen.push(request) > 0);
    const { near } = await openLink(net);
    const relay = net.parties[1] as Party;
    expect(seen).toEqual([
      {
        previousHop: relay.environment.identity.peerId,
        endpoint: expect.objectContaining({ host: relay.host }),
        relayPort: near.local.relayPort,
      },
    ]);
  });

  test.each<[string, () => boolean | Promise<boolean>]>([
    ['says no', () => false],
    ['says no later', () => Promise.resolve(false)],
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
    ['forgets to answer', () => undefined as unknown as boolean],
    ['answers with something else', () => 'yes' as unknown as boolean],
  ])('a hook that %s refuses, typed and at once', async (_name, hook) => {
    const net = await withHook(41, hook);
    const { code, afterMs } = await failure(net, open(net));
    expect(code).toBe('relay.refused');
    expect(afterMs).toBeLessThan(100);
    expect(destination(net).arrived).toEqual([]);
    expect(holdings(net.parties)).toEqual(nothing(net.parties));
  });

  test('a hook may take its time; the session is not paused meanwhile', async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    let asked = 0;
    const net = await withHook(42, () => (asked++ === 0 ? promise : true));
    const first = open(net);
    await net.world.clock.advance(3000);
    const { near } = await openLink(net);
    expect(destination(net).arrived.length).toBe(1);
    resolve(true);
    await net.world.clock.advance(100);
    destination(net).arrived[1]?.link.send([new Uint8Array(HANDSHAKE_ANSWER_LENGTH)]);
    expect((await net.world.run(first)).local.relayPort).not.toBe(near.local.relayPort);
  });

  test('but no longer than the budget', async () => {
    const net = await withHook(43, () => new Promise(() => {}));
    const { code, afterMs } = await failure(net, open(net));
    expect(code).toBe('relay.timeout');
    expect(afterMs).toBeLessThan(30_000);
    expect(holdings(net.parties)).toEqual(nothing(net.parties));
  });

  test('an answer that comes after the request was closed changes nothing', async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const net = await withHook(44, () => promise);
    const controller = new AbortController();
    const opening = (net.parties[0] as Party).open(net.parties[1] as Party, destination(net), 2, undefined, controller.signal);
    await net.world.clock.advance(100);
    controller.abort();
    expect((await failure(net, opening)).code).toBe('aborted');
    await net.world.clock.advance(100);
    resolve(true);
    await net.world.clock.advance(100);
    expect(destination(net).arrived).toEqual([]);
    expect(holdings(net.parties)).toEqual(nothing(net.parties));
  });

  test('the end of the budget is not waited for once the request was closed', async () => {
    const net = await withHook(48, () => new Promise(() => {}));
    const [, b, c] = net.parties as [Party, Party, Party];
    const cancelled: number[] = [];
    const after = net.world.clock.after.bind(net.world.clock);
    vi.spyOn(net.world.clock, 'after').mockImplementation((ms, run) => {
      const timer = after(ms, run);
      return { cancel: () => (cancelled.push(ms), timer.cancel()) };
    });
    b.send(c, create({ destination: c.destination, hopsLeft: 0, budgetMs: 12_345 }));
    await net.world.clock.advance(100);
    expect(cancelled).not.toContain(12_345);
    b.send(c, { type: 'relay-close', port: 77n, reason: 'closed' });
    await net.world.clock.advance(100);
    expect(cancelled).toContain(12_345);
  });

  test('switched off while it decides: relay.disabled', async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const net = await withHook(45, () => promise);
    const opening = failure(net, open(net));
    destination(net).world.clock.after(500, () => destination(net).relay.setEnabled(false));
    expect((await opening).code).toBe('relay.disabled');
    resolve(true);
    await net.world.clock.advance(100);
    expect(destination(net).arrived).toEqual([]);
  });

  test('too many undecided at once: busy; those whose time is up do not count', async () => {
    const net = await withHook(46, () => new Promise(() => {}), { maxUndecided: 2 });
    const hanging = [failureOf(open(net)), failureOf(open(net))];
    await net.world.clock.advance(100);
    expect((await failure(net, open(net))).code).toBe('relay.busy');
    expect(await net.world.run(Promise.all(hanging))).toEqual(['relay.timeout', 'relay.timeout']);
    const again = failureOf(open(net));
    await net.world.clock.advance(1000);
    expect(await net.world.run(again)).toBe('relay.timeout');
  });

  test('what its handshake is refused with travels back', async () => {
    const net = await row(4, 47);
    const opening = (net.parties[0] as Party).open(net.parties[1] as Party, net.parties[3] as Party, 3);
    await net.world.clock.run({ until: () => (net.parties[3] as Party).arrived.length > 0, untilMs: 1e6 });
    (net.parties[3] as Party).arrived[0]?.link.close(new MatryoshkaError('session.clock-skew'));
    expect((await failure(net, opening)).code).toBe('session.clock-skew');
  });
});

function failureOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no failure',
    (error: unknown) => (error as MatryoshkaError).code,
  );
}

describe('who breaks the rules', () => {
  async function blamed(
    seed: number,
    run: (net: RelayWorld, parties: readonly Party[]) => Promise<void> | void,
  ): Promise<readonly (string | undefined)[]> {
    const net = await row(3, seed);
    const sessions = [net.parties[0]?.to(net.parties[1] as Party), net.parties[1]?.to(net.parties[2] as Party)];
    const reasons: (string | undefined)[] = [undefined, undefined];
    for (const [i, session] of sessions.entries()) void session?.closed.then(({ code }) => (reasons[i] = code));
    await run(net, net.parties);
    await net.world.clock.advance(500);
    return reasons;
  }

  /** Bytes of a relay data message in another session of ours, whatever the rules say. */
  function sendData(from: Party, to: Party, port: bigint, more: boolean, bytes: Uint8Array): void {
    from.to(to).send({ type: 'relay-data', port, more, bytes });
  }

  test.each<[string, string, (a: Party, b: Party, port: bigint) => void]>([
    ['empty data', 'relay.protocol', (a, b, port) => sendData(a, b, port, false, new Uint8Array(0))],
    [
      'more than was granted',
      'session.credit-exceeded',
      (a, b, port) => {
        for (let i = 0; i < 120; i++) sendData(a, b, port, true, new Uint8Array(40_000));
      },
    ],
    [
      'a status that nobody waits for',
      'relay.protocol',
      (a, b, port) =>
        a.send(b, {
          type: 'relay-status',
          port,
          status: 'accepted',
          window: 5,
          answer: new Uint8Array(HANDSHAKE_ANSWER_LENGTH),
          limits: { bytesPerSecond: 0, maxBytes: 0, maxAgeMs: 0 },
        }),
    ],
    [
      'more credit given back than there is',
      'session.credit-exceeded',
      (a, b, port) => a.send(b, { type: 'relay-credit-return', port, bytes: 3_000_000 }),
    ],
    [
      'messages of later versions',
      'relay.protocol',
      (a, b, port) => a.send(b, { type: 'relay-meet', port, window: 2048, token: new Uint8Array(32), request: someRequest() }),
    ],
  ])('%s ends the session with who sent it, and no other one', async (_name, code, misuse) => {
    expect(
      await blamed(50, async (net, [a, b, c]) => {
        const { near } = await openLink(net);
        // Nothing is read, so that nothing is granted again.
        vi.spyOn(c?.relay as RelayService, 'data').mockImplementation(() => {});
        misuse(a as Party, b as Party, near.local.relayPort as bigint);
      }),
    ).toEqual([code, undefined]);
  });

  test('pieces too small for any message end the link when they pile up, and no session', async () => {
    const net = await row(3, 55, [{}, { relayMemoryBytes: 8 * 1024 * 1024 }, { relayMemoryBytes: 64 * 1024 }]);
    const [a, b, c] = net.parties as [Party, Party, Party];
    const { near } = await openLink(net);
    const owner = new Recorder();
    near.attach(owner);
    const port = near.local.relayPort as bigint;
    const heard = overhear(c);
    // Nothing is read, so that nothing is granted again.
    vi.spyOn(c.relay, 'data').mockImplementation(() => {});
    sendData(a, b, port, false, new Uint8Array(2048));
    for (let i = 0; i < 4096 + 1024; i++) sendData(a, b, port, false, new Uint8Array(1));
    await net.world.clock.advance(100);
    expect(owner.reasons).toEqual([]);
    sendData(a, b, port, false, new Uint8Array(1));
    await net.world.clock.advance(100);
    expect(owner.reasons.map(({ code }) => code)).toEqual(['relay.limit']);
    expect(heard).toContainEqual({ type: 'relay-close', port, reason: 'relay.limit' });
    expect([a.to(b).sending, b.to(c).sending]).toEqual([true, true]);
    vi.restoreAllMocks();
    await openLink(net);
  });

  test('requests and closes in a loop do not end the session to a next hop that stands still', async () => {
    const net = await row(3, 56);
    const [a, b, c] = net.parties as [Party, Party, Party];
    const { near } = await openLink(net);
    const owner = new Recorder();
    near.attach(owner);
    const refused = overhear(a);
    const onward = b.to(c);
    net.world.network.silence(b.host, c.host, 4000);
    let most = 0;
    let port = 1000n;
    for (let round = 0; round < 40; round++) {
      const from = port;
      for (let i = 0; i < 50; i++) a.send(b, create({ destination: c.destination, port: port++ }));
      await net.world.clock.advance(20);
      for (let each = from; each < port; each++) a.send(b, { type: 'relay-close', port: each, reason: 'closed' });
      await net.world.clock.advance(20);
      most = Math.max(most, onward.outbox.controlBytes);
    }
    expect(most).toBeGreaterThan(200 * 1024);
    expect(most).toBeLessThan(300 * 1024);
    expect(new Set(refused.map((message) => message.type === 'relay-status' && message.status === 'refused' && message.reason))).toEqual(
      new Set(['relay.busy']),
    );
    await net.world.clock.advance(8000);
    expect([a.to(b).sending, onward.sending, owner.reasons]).toEqual([true, true, []]);
  });

  test('who opens links without end leaves relay memory to others', async () => {
    const net = await row(3, 57, [{}, { relayMemoryBytes: 8 * 1024 * 1024 }, {}]);
    const [a, b, c] = net.parties as [Party, Party, Party];
    const other = new Party(net.world, '10.60.0.1', 5790);
    await other.listen();
    await net.world.run(other.dial(b.endpoint));
    const heard = overhear(a);
    for (let port = 1000n; port < 1500n; port++) {
      a.send(b, create({ destination: c.destination, port, budgetMs: 30_000 }));
      await net.world.clock.advance(5);
    }
    expect(heard.length).toBeGreaterThan(100);
    expect(new Set(heard.map((message) => message.type === 'relay-status' && message.status === 'refused' && message.reason))).toEqual(
      new Set(['relay.busy']),
    );
    expect(b.relay.pool.takenBytes).toBeGreaterThan(b.relay.pool.totalBytes / 5);
    expect(b.relay.pool.takenBytes).toBeLessThanOrEqual(b.relay.pool.totalBytes / 4);
    const arrived = c.arrived.length;
    other.send(b, create({ destination: c.destination }));
    await net.world.clock.advance(100);
    expect(c.arrived.length).toBe(arrived + 1);
    for (let port = 1000n; port < 1500n; port++) a.send(b, { type: 'relay-close', port, reason: 'closed' });
    other.send(b, { type: 'relay-close', port: 77n, reason: 'closed' });
    await net.world.clock.advance(1000);
    for (const { link } of c.arrived) link.attach(new Recorder());
    await net.world.clock.advance(100);
    expect(holdings(net.parties)).toEqual(nothing(net.parties));
  });

  test('data before the link is open ends the session', async () => {
    expect(
      await blamed(51, async (net, [a, b, c]) => {
        a?.send(b as Party, create({ destination: c?.destination as RelayCreate['destination'] }));
        await net.world.clock.advance(100);
        sendData(a as Party, b as Party, 77n, false, new Uint8Array(5));
      }),
    ).toEqual(['relay.protocol', undefined]);
  });

  test('a carried message that grows too long ends the link and no session: relays cannot know', async () => {
    expect(
      await blamed(52, async (net, [a, b]) => {
        const { near, far } = await openLink(net);
        const owner = new Recorder();
        far.attach(owner);
        near.attach(new Recorder());
        sendData(a as Party, b as Party, near.local.relayPort as bigint, true, new Uint8Array(60_000));
        sendData(a as Party, b as Party, near.local.relayPort as bigint, false, new Uint8Array(6000));
        await net.world.clock.advance(100);
        expect(owner.reasons.map(({ code }) => code)).toEqual(['relay.protocol']);
        expect(owner.messages).toEqual([]);
        expect(holdings(net.parties)).toEqual(nothing(net.parties));
      }),
    ).toEqual([undefined, undefined]);
  });

  test('R14 late messages for a link that is over are let go; an unknown port is answered once', async () => {
    expect(
      await blamed(53, async (net, [a, b]) => {
        const { near } = await openLink(net);
        const port = near.local.relayPort as bigint;
        near.close();
        await net.world.clock.advance(100);
        const heard = overhear(a as Party);
        sendData(a as Party, b as Party, port, false, new Uint8Array(5));
        a?.send(b as Party, { type: 'relay-credit', port, total: 1e9 }, { type: 'relay-close', port, reason: 'closed' });
        await net.world.clock.advance(100);
        expect(heard).toEqual([]);
        for (let i = 0; i < 3; i++) sendData(a as Party, b as Party, 4242n, false, new Uint8Array(5));
        a?.send(b as Party, { type: 'relay-credit', port: 4243n, total: 1 }, { type: 'relay-close', port: 4244n, reason: 'closed' });
        await net.world.clock.advance(100);
        expect(heard).toEqual([{ type: 'relay-close', port: 4242n, reason: 'relay.unknown-port' }]);
      }),
    ).toEqual([undefined, undefined]);
  });

  test('relay data for port 0 ends the session of who sent it', async () => {
    expect(
      await blamed(54, (_net, [a, b]) => {
        expect(() => b?.relay.data(b.to(a as Party), 0, 0, 0, new Uint8Array(1))).toThrow(
          expect.objectContaining({ code: 'wire.invalid' }),
        );
        expect(() => b?.relay.data(b.to(a as Party), 0, 1, 2, new Uint8Array(1))).toThrow(
          expect.objectContaining({ code: 'wire.invalid' }),
        );
      }),
    ).toEqual([undefined, undefined]);
  });
});

describe('a connection that carries a link is lost', () => {
  test.each([0, 1, 2])('connection %i of three: both ends hear relay.carrier-lost, and nothing stays behind', async (index) => {
    const net = await row(4, 60 + index);
    const { near, far } = await openLink(net);
    const owners = [near, far].map((link) => {
      const owner = new Recorder();
      link.attach(owner);
      return owner;
    });
    for (let i = 0; i < 60; i++) {
      near.send([bytesOf(50_000)]);
      far.send([bytesOf(50_000)]);
    }
    await net.world.clock.advance(20);
    net.world.network.cut((net.parties[index] as Party).host, (net.parties[index + 1] as Party).host);
    await net.world.clock.advance(1000);
    expect(owners.map(({ reasons }) => reasons.map(({ code }) => code))).toEqual([['relay.carrier-lost'], ['relay.carrier-lost']]);
    expect(owners.map(({ late }) => late)).toEqual([0, 0]);
    expect(holdings(net.parties)).toEqual(nothing(net.parties));
  });

  test('while it is asked for: the originator hears why, the far side is told', async () => {
    const net = await row(4, 70);
    const [a, d] = pair(net);
    const opening = failure(net, a.open(net.parties[1] as Party, d, 3));
    net.world.clock.after(100, () => void net.world.network.cut('10.1.0.1', '10.2.0.1'));
    expect((await opening).code).toBe('relay.carrier-lost');
    await net.world.clock.advance(100);
    expect(holdings(net.parties)).toEqual(nothing(net.parties));
  });

  test('what came before the loss still arrives', async () => {
    const net = await row(3, 71);
    const { near, far } = await openLink(net);
    const reader = new Recorder();
    far.attach(reader);
    near.attach(new Recorder());
    for (let i = 0; i < 10; i++) near.send([bytesOf(5000)]);
    await net.world.clock.advance(6);
    // A goes in good order: its goodbye is behind the data.
    (net.parties[0] as Party).to(net.parties[1] as Party).close(new MatryoshkaError('shutdown'));
    await net.world.clock.advance(1000);
    expect(reader.messages.length).toBe(10);
    expect(reader.reasons.map(({ code }) => code)).toEqual(['relay.carrier-lost']);
  });
});
