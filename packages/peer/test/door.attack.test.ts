import { InitiatorHandshake } from '@matryoshka/session';
import { type World, createWorld } from '@matryoshka/simulation';
import type { Link, Transport } from '@matryoshka/transport';
import { type Endpoint, HANDSHAKE_REQUEST_LENGTH, type MatryoshkaError } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import {
  Acceptor,
  type ConnectSessionOptions,
  type DoorRefusal,
  type DoorRules,
  RuledDoor,
  type Session,
  connectSession,
  hourBucket,
} from '../src/index.ts';
import { TestNode } from './pair.ts';

// Those who come to a node that listens, and what they can do to others who do.

const BOB: Endpoint = { transport: 'tcp', host: '203.0.113.2', port: 999 };
const RULES: DoorRules = { hidden: false, acceptAnonymous: true, allowPeers: undefined, denyPeers: [] };

interface Stage {
  readonly world: World;
  readonly alice: TestNode;
  readonly bob: TestNode;
  readonly acceptor: Acceptor;
  readonly door: RuledDoor;
  readonly refused: DoorRefusal[];
  connect(options?: ConnectSessionOptions): Promise<Session>;
  /** Links from `host` whose handshakes begin and do not go on. */
  flood(host: string, count: number): Promise<Link[]>;
}

async function stage(rules: Partial<DoorRules> = {}, maxHandshakes = 16): Promise<Stage> {
  const world = createWorld({ seed: 1, latencyMs: 20 });
  const refused: DoorRefusal[] = [];
  const door = new RuledDoor({ ...RULES, ...rules }, (reason) => refused.push(reason));
  const alice = new TestNode(world, 1);
  const bob = Object.assign(new TestNode(world, 2, { maxHandshakes }), { door });
  const acceptor = new Acceptor(bob);
  const at = (host: string): Transport => world.network.host(host)({ clock: world.clock });
  await at(BOB.host).listen?.(BOB, (link, first) => acceptor.offer(link, first));
  const request = new InitiatorHandshake({
    provider: alice.provider,
    random: alice.random,
    suite: 'chacha20poly1305',
    pattern: 'XX',
    psk: alice.psk,
    hour: hourBucket(alice.clock.unixMs()),
  }).request();
  return {
    world,
    alice,
    bob,
    acceptor,
    door,
    refused,
    connect: (options) => connectSession(alice, { next: ({ first }, signal) => at('198.51.100.1').dial(BOB, first, { signal }) }, options),
    flood: (host, count) => Promise.all(Array.from({ length: count }, () => at(host).dial(BOB, request, {}))),
  };
}

describe('a flood of handshakes', () => {
  test('from one network keeps nobody out who is in the middle of one, nor whoever comes then', async () => {
    const { world, acceptor, bob, connect, flood, refused } = await stage();
    const before = connect();
    // Connected after 40 ms, answered after 60: the flood comes in between.
    await world.clock.advance(30);
    const flooding = flood('192.0.2.1', 300);
    const session = await world.run(before);
    await world.run(flooding);
    await world.clock.advance(100);
    expect(acceptor.inProgress).toBe(15);
    expect(refused.filter((reason) => reason === 'handshakes')).toHaveLength(300 - 15);
    const after = await world.run(connect());
    await world.clock.advance(100);
    expect([session.sending, after.sending, bob.opened.length]).toEqual([true, true, 2]);
    await world.clock.advance(10_000);
    expect(acceptor.inProgress).toBe(0);
  });

  test('from many networks pushes out the oldest first', async () => {
    const { world, connect, flood, bob } = await stage();
    await world.run(Promise.all(Array.from({ length: 100 }, (_, i) => flood(`192.0.${i}.1`, 1))));
    await world.clock.advance(100);
    await world.run(connect());
    await world.clock.advance(100);
    expect(bob.opened).toHaveLength(1);
  });
});

describe('a hidden node', () => {
  test('is silent to all who do not know its static key, and answers those who do', async () => {
    const { world, alice, bob, connect, refused } = await stage({ hidden: true });
    await expect(world.run(connect({ timeoutMs: 3000 }))).rejects.toMatchObject({ code: 'session.handshake-no-answer' });
    const wrongKey = alice.provider.dhKeyPair(new Uint8Array(32).fill(7)).publicKey;
    await expect(world.run(connect({ remoteStatic: wrongKey, timeoutMs: 3000 }))).rejects.toMatchObject({
      code: 'session.handshake-no-answer',
    });
    expect([bob.opened, refused]).toEqual([[], ['hidden']]);
    const session = await world.run(connect({ remoteStatic: bob.staticKey.publicKey, demand: bob.identity.peerId }));
    await world.run(session.greeted);
    expect([session.sending, bob.opened.length]).toEqual([true, 1]);
  });

  test('does not even answer what is not of this protocol, however it is cut', async () => {
    const { world, bob } = await stage({ hidden: true });
    const transport = world.network.host('192.0.2.1')({ clock: world.clock });
    for (const length of [1, 3, HANDSHAKE_REQUEST_LENGTH, 5000]) {
      const heard: unknown[] = [];
      // oxlint-disable-next-line no-await-in-loop
      const link = await world.run(transport.dial(BOB, new Uint8Array(length).fill(1), {}));
      link.attach({ message: (bytes) => heard.push(bytes), written() {}, writable() {}, stalled() {}, flowing() {}, closed() {} });
      // oxlint-disable-next-line no-await-in-loop
      await world.clock.advance(5000);
      expect(heard).toEqual([]);
      link.close();
    }
    expect(bob.opened).toEqual([]);
  });
});

describe('a peer that is not welcome', () => {
  test('hears so after it has proven who it is, and others are', async () => {
    const { world, alice, bob, connect, door, refused } = await stage();
    door.update({ ...RULES, denyPeers: [alice.identity.peerId] });
    const session = await world.run(connect());
    await expect(world.run(session.closed)).resolves.toMatchObject({ code: 'session.refused' });
    expect([bob.opened, refused]).toEqual([[], ['peer-denied']]);
    const anonymous = await world.run(connect({ anonymous: true }));
    await world.run(anonymous.greeted);
    expect(anonymous.sending).toBe(true);
  });
});

describe('whoever breaks the rules of a session', () => {
  test('is told of to its environment, once and only for what came from it', async () => {
    const { world, alice, bob, connect } = await stage();
    const misbehaved: [string, string][] = [];
    Object.assign(alice, { onMisbehaved: (_session: Session, { code }: MatryoshkaError) => misbehaved.push(['alice', code]) });
    Object.assign(bob, { onMisbehaved: (_session: Session, { code }: MatryoshkaError) => misbehaved.push(['bob', code]) });
    const session = await world.run(connect());
    await world.run(session.greeted);
    session.send({ type: 'stream-end', streamId: 44 });
    await expect(world.run(session.closed)).resolves.toMatchObject({ code: 'stream.unknown' });
    // Alice hears the same reason in Bob's goodbye: no deed of Bob's.
    expect(misbehaved).toEqual([['bob', 'stream.unknown']]);
  });
});
