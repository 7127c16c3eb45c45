import type { LinkSource, Session } from '@matryoshka/peer';
import { createIdentity, peerIdFromHash, portableProvider } from '@matryoshka/session';
import { seededRandom } from '@matryoshka/simulation';
import type { Link } from '@matryoshka/transport';
import { MatryoshkaError, parseEndpoint } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { CircuitBuilder, type CircuitHost, type Hop, buildCircuit, checkPath } from './circuit.ts';

const [self, b, c, d] = [0, 1, 2, 3].map((seed): Hop => ({
  peerId: createIdentity(portableProvider, seededRandom(seed)).peerId,
  endpoint: parseEndpoint(`10.${seed}.0.1:999`),
})) as [Hop, Hop, Hop, Hop];

interface FakeSession {
  readonly peerId: string;
  closedWith: string | undefined;
  readonly session: Session;
}

/** Builds circuits of sessions that are nothing but closed, in order. */
class World implements CircuitHost {
  readonly peerId = self.peerId;
  readonly log: string[] = [];
  readonly sessions: FakeSession[] = [];
  failAt: string | undefined;

  first(hop: Hop): FakeSession {
    return this.#make(hop.peerId);
  }

  openLink: CircuitHost['openLink'] = (gateway, to) => {
    this.log.push(`${this.#name(gateway)} asked for ${to.endpoint.host} ${peerIdFromHash(to.peer).slice(0, 8)}`);
    return Promise.resolve({} as Link);
  };

  connectSession: CircuitHost['connectSession'] = async (source: LinkSource, { demand, anonymous, remoteStatic }) => {
    await source.next({ reason: undefined, first: new Uint8Array(0), session: undefined }, new AbortController().signal);
    if (demand === this.failAt) throw new MatryoshkaError('session.wrong-peer');
    this.log.push(`connected ${anonymous === true ? 'anonymously' : 'openly'}${remoteStatic === undefined ? '' : ' by static key'}`);
    return this.#make(demand as string).session;
  };

  #make(peerId: string): FakeSession {
    const { promise: closed, resolve } = Promise.withResolvers<MatryoshkaError>();
    const fake: FakeSession = {
      peerId,
      closedWith: undefined,
      session: {
        closed,
        get sending() {
          return fake.closedWith === undefined;
        },
        close: (reason: MatryoshkaError) => {
          if (fake.closedWith !== undefined) return;
          fake.closedWith = reason.code;
          this.log.push(`closed ${this.#name(fake.session)}`);
          resolve(reason);
        },
      } as unknown as Session,
    };
    this.sessions.push(fake);
    return fake;
  }

  #name(session: Session): string {
    const index = this.sessions.findIndex((each) => each.session === session);
    return `session ${index}`;
  }
}

describe('a path', () => {
  const refusal = (path: readonly Hop[]): string => {
    try {
      checkPath(path, self.peerId);
      return 'taken';
    } catch (error) {
      return `${(error as MatryoshkaError).code}: ${(error as MatryoshkaError).message}`;
    }
  };

  test('has two hops or more, each another peer, none oneself, keys of 32 bytes', () => {
    expect(refusal([b, c, d])).toBe('taken');
    expect(refusal([b, { ...c, staticKey: new Uint8Array(32) }])).toBe('taken');
    expect(refusal([b])).toBe('circuit.path-invalid: a circuit has at least two hops, not 1');
    expect(refusal([b, c, b])).toBe(`circuit.path-invalid: ${b.peerId} is on the path twice`);
    expect(refusal([b, self])).toBe(`circuit.path-invalid: ${self.peerId} is this node itself`);
    expect(refusal([b, { ...c, staticKey: new Uint8Array(33) }])).toBe(
      `circuit.path-invalid: a static key has 32 bytes, that of ${c.peerId} 33`,
    );
  });
});

describe('building a circuit', () => {
  test('each hop is asked for through the one before, anonymously except where the user wants the last one to know', async () => {
    const world = new World();
    const staticKey = new Uint8Array(32);
    const circuit = await buildCircuit(world, { ...b, session: world.first(b).session }, [{ ...c, staticKey }, d], { anonymous: false });
    expect(world.log).toEqual([
      `session 0 asked for 10.2.0.1 ${c.peerId.slice(0, 8)}`,
      'connected anonymously by static key',
      `session 1 asked for 10.3.0.1 ${d.peerId.slice(0, 8)}`,
      'connected openly',
    ]);
    expect(circuit.hops.map(({ peerId }) => peerId)).toEqual([b.peerId, c.peerId, d.peerId]);
    expect(circuit.session).toBe(world.sessions[2]?.session);
  });

  test('a hop that fails is named by its number and endpoint; what was built is closed, the first hop stays', async () => {
    const world = new World();
    world.failAt = d.peerId;
    const error = (await buildCircuit(world, { ...b, session: world.first(b).session }, [c, d], { anonymous: true }).catch(
      (reason: unknown) => reason,
    )) as MatryoshkaError;
    expect(error.code).toBe('circuit.extend-failed');
    expect(error.message).toContain('hop 3 (10.3.0.1:999)');
    expect((error.cause as MatryoshkaError).code).toBe('session.wrong-peer');
    expect(world.sessions.map(({ closedWith }) => closedWith)).toEqual([undefined, 'closed']);
  });

  test('given up is given up, not failed', async () => {
    const world = new World();
    world.connectSession = () => Promise.reject(new MatryoshkaError('aborted'));
    const first = { ...b, session: world.first(b).session };
    const signal = AbortSignal.abort();
    await expect(buildCircuit(world, first, [c], { anonymous: true, signal })).rejects.toMatchObject({ code: 'aborted' });
    // A hop that says so is a hop that failed.
    await expect(buildCircuit(world, first, [c], { anonymous: true })).rejects.toMatchObject({ code: 'circuit.extend-failed' });
  });

  test('a path that cannot be used asks nobody', async () => {
    const world = new World();
    await expect(buildCircuit(world, { ...b, session: world.first(b).session }, [b], { anonymous: true })).rejects.toMatchObject({
      code: 'circuit.path-invalid',
    });
    expect(world.log).toEqual([]);
  });

  test('hops can be added one by one', async () => {
    const world = new World();
    const builder = new CircuitBuilder(world, { ...b, session: world.first(b).session });
    await builder.extend(c, { anonymous: true });
    await builder.extend(d, { anonymous: true });
    expect(builder.hops.length).toBe(3);
    builder.close('shutdown');
    expect(world.sessions.map(({ closedWith }) => closedWith)).toEqual([undefined, 'shutdown', 'shutdown']);
  });
});

describe('a circuit', () => {
  test('closes innermost first, without its first hop', async () => {
    const world = new World();
    const circuit = await buildCircuit(world, { ...b, session: world.first(b).session }, [c, d], { anonymous: true });
    world.log.length = 0;
    circuit.close();
    expect(world.log).toEqual(['closed session 2', 'closed session 1']);
  });

  test('goes with the session to its far end', async () => {
    const world = new World();
    const circuit = await buildCircuit(world, { ...b, session: world.first(b).session }, [c, d], { anonymous: true });
    circuit.session.close(new MatryoshkaError('session.link-lost'));
    await circuit.session.closed;
    await Promise.resolve();
    expect(world.sessions.map(({ closedWith }) => closedWith)).toEqual([undefined, 'closed', 'session.link-lost']);
  });
});
