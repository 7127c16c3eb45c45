import { InitiatorHandshake, RecordKeys, parsePeerId } from '@matryoshka/session';
import { type World, createWorld } from '@matryoshka/simulation';
import { type Link, type Transport, memoryLink } from '@matryoshka/transport';
import {
  type Endpoint,
  HANDSHAKE_ANSWER_LENGTH,
  HANDSHAKE_OPENING_LENGTH,
  HANDSHAKE_REQUEST_LENGTH,
  MatryoshkaError,
  type Message,
} from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { Acceptor, type ConnectSessionOptions, type LinkSource, type Session, connectSession, hourBucket } from '../src/index.ts';
import { sealOpening } from '../src/opening.ts';
import { HELLO, TestNode } from './pair.ts';
import { RawPeer } from './raw-peer.ts';

// Handshakes over a network, under the portable provider.

const BOB: Endpoint = { transport: 'tcp', host: '203.0.113.2', port: 999 };
const HOUR_MS = 3_600_000;

interface Stage {
  readonly world: World;
  readonly alice: TestNode;
  readonly bob: TestNode;
  readonly acceptor: Acceptor;
  readonly transport: Transport;
  readonly source: LinkSource;
  connect(options?: ConnectSessionOptions): Promise<Session>;
}

type NodeOptions = ConstructorParameters<typeof TestNode>[2];

async function stage(
  aliceOptions: (world: World) => NodeOptions = () => ({}),
  bobOptions: NodeOptions = {},
  latencyMs = 20,
): Promise<Stage> {
  const world = createWorld({ seed: 1, latencyMs });
  const alice = new TestNode(world, 1, aliceOptions(world));
  const bob = new TestNode(world, 2, bobOptions);
  const acceptor = new Acceptor(bob);
  await world.network.host(BOB.host)({ clock: world.clock }).listen!(BOB, (link, first) => acceptor.offer(link, first));
  const transport = world.network.host('198.51.100.1')({ clock: world.clock });
  const source: LinkSource = { next: ({ first }, signal) => transport.dial(BOB, first, { signal }) };
  return { world, alice, bob, acceptor, transport, source, connect: (options) => world.run(connectSession(alice, source, options)) };
}

const code = (value: string): unknown => expect.objectContaining({ code: value });

describe('a handshake', () => {
  test('makes a session at both ends, each knowing the other; hello comes first', async () => {
    const { world, alice, bob, connect } = await stage();
    const session = await connect({ demand: bob.identity.peerId, dialled: BOB });
    await world.run(session.greeted);
    const [other] = bob.opened;
    expect([alice.opened, alice.hellos, bob.hellos]).toEqual([[session], [HELLO], [HELLO]]);
    expect(session).toMatchObject({ role: 'initiator', sending: true, dialled: BOB, anonymous: false, hello: HELLO });
    expect(other).toMatchObject({ role: 'responder', sending: true, dialled: undefined, hello: HELLO });
    expect(session.remote).toMatchObject({ authenticated: true, peerId: bob.identity.peerId });
    expect(other?.remote).toMatchObject({ authenticated: true, peerId: alice.identity.peerId });
    // Connect, request, answer: 20 ms each way and each message; then opening and both hellos.
    expect(world.clock.now()).toBe(120);
  });

  test.each<readonly [string, ConnectSessionOptions]>([
    ['anonymous, in XX', { anonymous: true }],
    ['anonymous, with AES-GCM', { anonymous: true, suite: 'aes256gcm' }],
  ])('%s: the other side knows nobody', async (_what, options) => {
    const { world, bob, connect } = await stage();
    const session = await connect({ ...options, demand: bob.identity.peerId });
    await world.run(session.greeted);
    expect([session.anonymous, bob.opened[0]?.remote]).toEqual([true, { authenticated: false }]);
  });

  test('to a known static key is anonymous, and saves nothing but the third message', async () => {
    const { world, bob, connect } = await stage();
    const session = await connect({ remoteStatic: bob.staticKey.publicKey, demand: bob.identity.peerId });
    await world.run(session.greeted);
    expect([session.anonymous, bob.opened[0]?.remote]).toEqual([true, { authenticated: false }]);
  });

  test('sends messages of three sizes, the same whoever speaks', async () => {
    const lengths = async (options: ConnectSessionOptions): Promise<number[]> => {
      const { world, connect } = await stage();
      const seen: number[] = [];
      world.network.tap((_from, _to, message) => seen.push(message.length));
      await connect(options);
      return seen;
    };
    const expected = [HANDSHAKE_REQUEST_LENGTH, HANDSHAKE_ANSWER_LENGTH];
    expect(await lengths({})).toEqual(expected);
    expect(await lengths({ anonymous: true })).toEqual(expected);
    const { world, connect } = await stage();
    const session = await connect();
    const openings: number[] = [];
    world.network.tap((from, _to, message) => from.host !== BOB.host && openings.push(message.length));
    await world.run(session.greeted);
    expect(openings[0]).toBe(HANDSHAKE_OPENING_LENGTH);
  });
});

describe('the dialler gets a typed error', () => {
  test.each<readonly [string, (world: World) => NodeOptions, NodeOptions]>([
    ['another network key', () => ({ networkKey: new Uint8Array(16) }), {}],
    ['no network key where there is one', () => ({}), { networkKey: new Uint8Array(16) }],
    [
      'a clock that is two hours fast',
      ({ clock }) => ({
        clock: {
          now: () => clock.now(),
          after: (ms, run) => clock.after(ms, run),
          soon: (run) => clock.soon(run),
          unixMs: () => clock.unixMs() + 2 * HOUR_MS,
        },
      }),
      {},
    ],
    [
      'a clock that is two hours slow',
      ({ clock }) => ({
        clock: {
          now: () => clock.now(),
          after: (ms, run) => clock.after(ms, run),
          soon: (run) => clock.soon(run),
          unixMs: () => clock.unixMs() - 2 * HOUR_MS,
        },
      }),
      {},
    ],
  ])('with %s: no answer, and the usual causes', async (_what, aliceOptions, bobOptions) => {
    const { world, alice, bob, connect } = await stage(aliceOptions, bobOptions);
    const heard: string[] = [];
    world.network.tap((from, _to, _message) => void (from.host === BOB.host && heard.push(from.host)));
    const error: unknown = await connect().catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'session.handshake-no-answer' });
    expect((error as Error).message).toMatch(/network key.*clock.*hour/);
    // A stranger learns nothing: not a byte came back.
    expect([heard, alice.opened, bob.opened, world.clock.now()]).toEqual([[], [], [], 10_000]);
  });

  test('of half an hour, clocks may differ', async () => {
    const skewed = ({ clock }: World): NodeOptions => ({
      clock: {
        now: () => clock.now(),
        after: (ms, run) => clock.after(ms, run),
        soon: (run) => clock.soon(run),
        unixMs: () => clock.unixMs() + HOUR_MS / 2,
      },
    });
    const { connect } = await stage(skewed);
    await connect();
  });

  test('where another peer answers than the demanded one', async () => {
    const { world, bob, connect, alice, acceptor } = await stage();
    const demand = new TestNode(world, 99).identity.peerId;
    await expect(connect({ demand: parsePeerId(demand) })).rejects.toMatchObject({
      code: 'session.wrong-peer',
      message: expect.stringContaining(bob.identity.peerId),
    });
    await world.clock.advance(1000);
    expect([alice.opened, bob.opened, acceptor.inProgress]).toEqual([[], [], 0]);
  });

  test('where it reaches itself', async () => {
    const world = createWorld({ seed: 1, latencyMs: 20 });
    const alice = new TestNode(world, 1);
    const acceptor = new Acceptor(alice);
    const transport = world.network.host(BOB.host)({ clock: world.clock });
    await transport.listen!(BOB, (link, first) => acceptor.offer(link, first));
    for (const anonymous of [false, true]) {
      const connecting = connectSession(alice, { next: ({ first }, signal) => transport.dial(BOB, first, { signal }) }, { anonymous });
      // oxlint-disable-next-line no-await-in-loop
      await expect(world.run(connecting)).rejects.toMatchObject({ code: 'session.self' });
    }
    await world.clock.advance(1000);
    expect([alice.opened, acceptor.inProgress]).toEqual([[], 0]);
  });

  test('where the dial fails, or the caller gives up: before, while dialling, while waiting for the answer', async () => {
    const { world, alice, transport, connect, bob } = await stage();
    const nowhere: LinkSource = { next: ({ first }, signal) => transport.dial({ ...BOB, port: 1 }, first, { signal }) };
    await expect(world.run(connectSession(alice, nowhere))).rejects.toMatchObject({ code: 'transport.dial-failed' });
    await expect(connect({ signal: AbortSignal.abort('early') })).rejects.toMatchObject({ code: 'aborted', cause: 'early' });
    for (const afterMs of [30, 70]) {
      const controller = new AbortController();
      world.clock.after(afterMs, () => controller.abort('enough'));
      // oxlint-disable-next-line no-await-in-loop
      await expect(connect({ signal: controller.signal })).rejects.toMatchObject({ code: 'aborted', cause: 'enough' });
    }
    await world.clock.advance(30_000);
    expect([alice.opened, bob.opened]).toEqual([[], []]);
  });

  test('where the caller gives up in the very moment of success, and the session ends', async () => {
    const { world, bob, source } = await stage();
    const controller = new AbortController();
    class Aborting extends TestNode {
      override onOpened(): void {
        controller.abort('enough');
      }
    }
    const alice = new Aborting(world, 7);
    const connecting = connectSession(alice, source, { signal: controller.signal });
    await expect(world.run(connecting)).rejects.toMatchObject({ code: 'aborted' });
    await world.clock.advance(1000);
    expect(alice.ended).toHaveLength(1);
    expect(bob.opened.every((session) => !session.sending)).toBe(true);
  });

  test('where a link comes too late, which is closed', async () => {
    const { world, alice } = await stage();
    const [dialled, accepted] = memoryLink({ clock: world.clock });
    const late = Promise.withResolvers<Link>();
    await expect(world.run(connectSession(alice, { next: () => late.promise }, { timeoutMs: 500 }))).rejects.toMatchObject({
      code: 'session.handshake-no-answer',
    });
    expect(world.clock.now()).toBe(500);
    let reason: MatryoshkaError | undefined;
    accepted.attach({
      message: () => {},
      written: () => {},
      writable: () => {},
      stalled: () => {},
      flowing: () => {},
      closed: (error) => void (reason = error),
    });
    late.resolve(dialled);
    await world.clock.run();
    expect(reason).toMatchObject({ code: 'transport.closed' });
  });

  test.each<readonly [string, (message: Uint8Array) => Uint8Array]>([
    ['changed', (message) => message.map((byte, index) => (index === 40 ? byte ^ 1 : byte))],
    ['too short', (message) => message.subarray(1)],
  ])('where the answer is %s', async (_what, change) => {
    const world = createWorld({ seed: 1 });
    const [alice, bob] = [new TestNode(world, 1), new TestNode(world, 2)];
    const acceptor = new Acceptor(bob);
    const [dialled, accepted] = memoryLink({ clock: world.clock });
    const tampered: Link = Object.create(accepted, { send: { value: ([bytes]: [Uint8Array]) => accepted.send([change(bytes)]) } });
    for (const name of ['attach', 'close', 'pause', 'resume'] as const)
      Object.defineProperty(tampered, name, { value: accepted[name].bind(accepted) });
    const connecting = connectSession(alice, {
      next: ({ first }) => {
        acceptor.offer(tampered, first);
        return Promise.resolve(dialled);
      },
    });
    await expect(world.run(connecting)).rejects.toMatchObject({ code: 'session.handshake-failed' });
  });
});

describe('the acceptor', () => {
  test('tells an anonymous peer that it is not welcome', async () => {
    const { world, bob, connect } = await stage(() => ({}), { acceptAnonymous: false });
    const session = await connect({ anonymous: true });
    await expect(world.run(session.closed)).resolves.toMatchObject({ code: 'session.anonymous-refused' });
    await expect(session.openStream('/echo/1')).rejects.toMatchObject({ code: 'session.anonymous-refused' });
    expect(bob.opened).toEqual([]);
    await expect(connect()).resolves.toMatchObject({ sending: true });
  });

  test('answers a resume: no such session', async () => {
    const { world, raw, bob } = await rawHandshake({
      type: 'session-resume',
      sessionId: new Uint8Array(16),
      delivered: 7,
      proof: new Uint8Array(32),
    });
    await world.clock.advance(1000);
    expect(raw().received).toEqual([{ type: 'resume-refused', reason: 'session.resume-unknown' }]);
    expect([raw().closed, bob.opened]).toEqual([code('transport.closed'), []]);
  });

  test('ends without a word when the first record is something else, or none', async () => {
    for (const message of [{ type: 'cover', bytes: new Uint8Array(3) }, undefined] as const) {
      // oxlint-disable-next-line no-await-in-loop
      const { world, raw, bob, acceptor } = await rawHandshake(message);
      // oxlint-disable-next-line no-await-in-loop
      await world.clock.advance(1000);
      expect([raw().received, raw().closed, bob.opened, acceptor.inProgress]).toEqual([[], code('transport.closed'), [], 0]);
    }
  });

  test('has a bound on handshakes in progress, and on their time', async () => {
    const { world, acceptor, alice, transport, connect } = await stage(() => ({}), { maxHandshakes: 2, handshakeTimeoutMs: 5000 });
    const hanging = async (): Promise<Link> => {
      const handshake = new InitiatorHandshake({
        provider: alice.provider,
        random: alice.random,
        suite: 'chacha20poly1305',
        pattern: 'XX',
        psk: alice.psk,
        hour: hourBucket(alice.clock.unixMs()),
      });
      return transport.dial(BOB, handshake.request(), {});
    };
    await world.run(Promise.all([hanging(), hanging()]));
    await world.clock.advance(100);
    expect(acceptor.inProgress).toBe(2);
    await world.clock.advance(5000);
    expect(acceptor.inProgress).toBe(0);
    // Any number of them keeps nobody out: the oldest of the source with the most has to go.
    await world.run(Promise.all(Array.from({ length: 9 }, hanging)));
    await world.clock.advance(100);
    expect(acceptor.inProgress).toBe(2);
    await connect();
  });

  test('closed, ends what is in progress and takes nothing new', async () => {
    const { world, acceptor, bob, connect } = await stage();
    world.clock.after(90, () => acceptor.close(new MatryoshkaError('shutdown')));
    const session = await connect();
    await expect(world.run(session.closed)).resolves.toMatchObject({ code: 'session.link-lost' });
    await expect(connect({ timeoutMs: 1000 })).rejects.toMatchObject({ code: 'session.handshake-no-answer' });
    expect([bob.opened, acceptor.inProgress]).toEqual([[], 0]);
  });
});

/** A handshake whose initiator's first record says `message`, or is garbage. */
async function rawHandshake(message: Message | undefined): Promise<Stage & { raw: () => RawPeer }> {
  const it = await stage();
  const { alice, transport, world } = it;
  const handshake = new InitiatorHandshake({
    provider: alice.provider,
    random: alice.random,
    suite: 'chacha20poly1305',
    pattern: 'XX',
    psk: alice.psk,
    hour: hourBucket(alice.clock.unixMs()),
    identity: alice.identity,
  });
  const link = await world.run(transport.dial(BOB, handshake.request(), {}));
  let raw: RawPeer | undefined;
  link.attach({
    message: (bytes) => {
      handshake.answer(bytes);
      const opening = new Uint8Array(HANDSHAKE_OPENING_LENGTH);
      const length = handshake.opening(opening);
      const { keys } = handshake;
      const [sendKeys, receiveKeys] = [keys.send, keys.receive].map((key) => new RecordKeys(alice.provider, keys.suite, key)) as [
        RecordKeys,
        RecordKeys,
      ];
      if (message !== undefined) sealOpening(opening, length, sendKeys, message);
      link.send([opening]);
      raw = new RawPeer(link, { sendKeys, receiveKeys });
    },
    written: () => {},
    writable: () => {},
    stalled: () => {},
    flowing: () => {},
    closed: () => {},
  });
  return { ...it, raw: () => raw as RawPeer };
}
