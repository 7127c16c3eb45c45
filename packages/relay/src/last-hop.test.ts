import type { Session } from '@matryoshka/peer';
import { peerHash } from '@matryoshka/session';
import { SimulatedClock, seededRandom } from '@matryoshka/simulation';
import { type Endpoint, MatryoshkaError, formatEndpoint } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { type FakeSession, endpoint, fakePeer, fakeSession } from '../test/fake-session.ts';
import { LastHop } from './last-hop.ts';
import { DEFAULT_RELAY_OPTIONS } from './options.ts';
import type { RelayHost } from './relay-host.ts';

const SELF = fakePeer(0);
const DAVE = fakePeer(4);
const AT = '198.105.1.9:999';

class Relay {
  readonly clock = new SimulatedClock();
  readonly previous = fakeSession({ peerId: fakePeer(1), remote: '1.1.1.1:1' });
  readonly dials: string[] = [];
  readonly links = new Map<Session, number>();
  readonly sessions: FakeSession[];
  readonly registered = new Set<Session>();
  readonly lastHop: LastHop;
  #dialled: (() => Promise<Session>)[] = [];

  constructor(...sessions: FakeSession[]) {
    this.sessions = [this.previous, ...sessions];
    const host = {
      clock: this.clock,
      random: seededRandom(1),
      peerId: SELF,
      sessions: () => this.sessions,
      dial: (to: Endpoint) => {
        this.dials.push(formatEndpoint(to));
        return (this.#dialled.shift() ?? (() => Promise.reject(new MatryoshkaError('transport.dial-failed'))))();
      },
    } as unknown as RelayHost;
    this.lastHop = new LastHop(
      host,
      DEFAULT_RELAY_OPTIONS,
      (session) => this.links.get(session) ?? 0,
      (session) => this.registered.has(session),
    );
  }

  willDial(dial: () => Promise<Session>): this {
    this.#dialled.push(dial);
    return this;
  }

  reach(to: string | undefined, peer = DAVE): Promise<Session> {
    return this.lastHop.reach(this.previous, { ...(to !== undefined && { endpoint: endpoint(to) }), peer: peerHash(peer) });
  }

  unpinned(to: string): Promise<Session> {
    return this.lastHop.reach(this.previous, { endpoint: endpoint(to) });
  }
}

const refusedWith = async (promise: Promise<unknown>): Promise<string> =>
  (
    await promise.then(
      () => undefined,
      (error: unknown) => error as MatryoshkaError,
    )
  )?.code ?? 'nothing';

describe('R9 the connection to a destination', () => {
  test('is one that is authenticated as the demanded peer, whoever opened it', async () => {
    const dave = fakeSession({ peerId: DAVE, remote: '9.9.9.9:40000' });
    const relay = new Relay(fakeSession({ peerId: fakePeer(5) }), dave);
    expect(await relay.reach(AT)).toBe(dave);
    expect(await relay.reach(undefined)).toBe(dave);
    expect(relay.dials).toEqual([]);
  });

  test('also one that is itself relayed, if there is no direct one', async () => {
    const relayed = fakeSession({ peerId: DAVE, carriers: ['x'] });
    expect(await new Relay(relayed).reach(AT)).toBe(relayed);
    const direct = fakeSession({ peerId: DAVE });
    expect(await new Relay(relayed, direct).reach(AT)).toBe(direct);
  });

  test('without a demanded peer, one that this node dialled there', async () => {
    const dialled = fakeSession({ peerId: DAVE, dialled: AT });
    expect(await new Relay(dialled).unpinned(AT)).toBe(dialled);
  });

  test('never one that only claims to be there, or that comes from there', async () => {
    const claims = fakeSession({ peerId: fakePeer(6), listening: [AT] });
    const comes = fakeSession({ peerId: fakePeer(7), remote: AT });
    const relay = new Relay(claims, comes);
    expect(await refusedWith(relay.unpinned(AT))).toBe('relay.destination-unreachable');
    expect(relay.dials).toEqual([AT]);
  });

  test('never one with another peer, though it was dialled there', async () => {
    const other = fakeSession({ peerId: fakePeer(8), dialled: AT });
    const relay = new Relay(other);
    expect(await refusedWith(relay.reach(AT))).toBe('relay.destination-unreachable');
    expect(relay.dials).toEqual([AT]);
  });

  test('never the requesting one, one carried by it, one without our identity, or one that is over', async () => {
    const relay = new Relay();
    relay.sessions.push(
      fakeSession({ peerId: DAVE, carriers: [relay.previous.id] }),
      fakeSession({ peerId: DAVE, anonymous: true }),
      fakeSession({ peerId: DAVE, sending: false }),
    );
    expect(await refusedWith(relay.reach(undefined))).toBe('relay.destination-unreachable');
    const itself = new Relay();
    expect(await refusedWith(itself.reach(undefined, fakePeer(1)))).toBe('relay.destination-unreachable');
  });

  test('otherwise a new direct one; requests that come together share it', async () => {
    const made = fakeSession({ peerId: DAVE, dialled: AT });
    const relay = new Relay().willDial(() => Promise.resolve(made));
    expect(await Promise.all([relay.reach(AT), relay.reach(AT), relay.unpinned(AT)])).toEqual([made, made, made]);
    expect(relay.dials).toEqual([AT]);
  });

  test('a dial that failed is not remembered', async () => {
    const made = fakeSession({ peerId: DAVE });
    const relay = new Relay()
      .willDial(() => Promise.reject(new MatryoshkaError('session.handshake-no-answer')))
      .willDial(() => Promise.resolve(made));
    expect(await refusedWith(relay.reach(AT))).toBe('relay.destination-unreachable');
    expect(await relay.reach(AT)).toBe(made);
  });

  test.each(['transport.dial-failed', 'session.wrong-peer', 'session.handshake-no-answer', 'session.self', 'bug'] as const)(
    'R17 a dial that fails with %s is unreachable, no more',
    async (code) => {
      const relay = new Relay().willDial(() => Promise.reject(new MatryoshkaError(code)));
      expect(await refusedWith(relay.reach(AT))).toBe('relay.destination-unreachable');
    },
  );

  test('R17 an address that is not global is not even dialled', async () => {
    const relay = new Relay();
    expect(await refusedWith(relay.reach('127.0.0.1:999'))).toBe('relay.destination-forbidden');
    expect(relay.dials).toEqual([]);
  });

  test('of this relay itself there is none', async () => {
    expect(await refusedWith(new Relay().reach(AT, SELF))).toBe('relay.loop');
  });

  test('R3 of a peer at a relay only one that is there: the endpoint is the relay’s', async () => {
    const at = new Relay(fakeSession({ dialled: AT, peerId: fakePeer(9) }));
    const request = { endpoint: endpoint(AT), peer: peerHash(DAVE), relay: peerHash(SELF) };
    expect(await refusedWith(at.lastHop.reach(at.previous, request))).toBe('relay.destination-unreachable');
    expect(at.dials).toEqual([]);
    // Connected is not registered: nobody is reached here who has not asked for it (R9).
    const registered = fakeSession({ peerId: DAVE });
    at.sessions.push(fakeSession({ peerId: DAVE }), registered);
    expect(await refusedWith(at.lastHop.reach(at.previous, request))).toBe('relay.destination-unreachable');
    at.registered.add(registered);
    expect(await at.lastHop.reach(at.previous, request)).toBe(registered);
  });
});

describe('R9 connections made only to serve relay links', () => {
  async function made(): Promise<{ relay: Relay; session: FakeSession }> {
    const session = fakeSession({ peerId: DAVE });
    const relay = new Relay().willDial(() => Promise.resolve(session));
    await relay.reach(AT);
    return { relay, session };
  }

  test('close when idle for the grace period, also if no link came about', async () => {
    const { relay, session } = await made();
    await relay.clock.advance(29_999);
    expect(session.sending).toBe(true);
    await relay.clock.advance(1);
    expect(session.closeReason?.code).toBe('closed');
  });

  test('the period begins with the end of the last link', async () => {
    const { relay, session } = await made();
    relay.links.set(session, 1);
    await relay.clock.advance(100_000);
    expect(session.sending).toBe(true);
    relay.links.set(session, 0);
    relay.lastHop.made.idle(session);
    await relay.clock.advance(29_000);
    relay.links.set(session, 1);
    await relay.clock.advance(500);
    relay.links.set(session, 0);
    relay.lastHop.made.idle(session);
    await relay.clock.advance(29_000);
    expect(session.sending).toBe(true);
    await relay.clock.advance(1000);
    expect(session.sending).toBe(false);
  });

  test('not while a stream is open on it', async () => {
    const { relay, session } = await made();
    (session.streams as unknown as unknown[]).push({});
    await relay.clock.advance(100_000);
    expect(session.sending).toBe(true);
  });

  test('not after the user got hold of it', async () => {
    const { relay, session } = await made();
    relay.lastHop.made.keep(session);
    relay.lastHop.made.idle(session);
    await relay.clock.advance(100_000);
    expect(session.sending).toBe(true);
  });

  test('other connections never do', async () => {
    const other = fakeSession({ peerId: DAVE });
    const relay = new Relay(other);
    await relay.reach(AT);
    relay.lastHop.made.idle(other);
    await relay.clock.advance(100_000);
    expect(other.sending).toBe(true);
  });
});
