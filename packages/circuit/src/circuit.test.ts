import type { LinkSource, Session } from '@matryoshka/peer';
import { createIdentity, peerIdFromHash, portableProvider } from '@matryoshka/session';
import { SimulatedClock, seededRandom } from '@matryoshka/simulation';
import type { Link } from '@matryoshka/transport';
import { MatryoshkaError, parseEndpoint } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { Circuit, type CircuitHost, type Hop, buildCircuit, checkPath } from './circuit.ts';

const [self, b, c, d] = [0, 1, 2, 3].map((seed): Hop => ({
  peerId: createIdentity(portableProvider, seededRandom(seed)).peerId,
  endpoint: parseEndpoint(`10.${seed}.0.1:999`),
})) as [Hop, Hop, Hop, Hop];

interface FakeSession {
  readonly peerId: string;
  closedWith: string | undefined;
  stalled: boolean;
  readonly session: Session;
}

/** Builds circuits of sessions that are nothing but closed, in order. */
class World implements CircuitHost {
  readonly peerId = self.peerId;
  readonly clock = new SimulatedClock();
  readonly log: string[] = [];
  readonly sessions: FakeSession[] = [];
  failAt: string | undefined;

  first(hop: Hop): FakeSession {
    return this.#make(hop.peerId);
  }

  stall(index: number): void {
    (this.sessions[index] as FakeSession).stalled = true;
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
      stalled: false,
      session: {
        closed,
        get sending() {
          return fake.closedWith === undefined;
        },
        get stalled() {
          return fake.stalled;
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
  test('each hop is asked for through the one before, anonymously', async () => {
    const world = new World();
    const staticKey = new Uint8Array(32);
    const circuit = await buildCircuit(world, { ...b, session: world.first(b).session }, [{ ...c, staticKey }, d]);
    expect(world.log).toEqual([
      `session 0 asked for 10.2.0.1 ${c.peerId.slice(0, 8)}`,
      'connected anonymously by static key',
      `session 1 asked for 10.3.0.1 ${d.peerId.slice(0, 8)}`,
      'connected anonymously',
    ]);
    expect(circuit.hops.map(({ peerId }) => peerId)).toEqual([b.peerId, c.peerId, d.peerId]);
    expect(circuit.last.session).toBe(world.sessions[2]?.session);
    expect(circuit).toMatchObject({ usable: true, fault: undefined });
  });

  test('a hop that fails is named by its number and endpoint; what was built is closed, the first hop stays', async () => {
    const world = new World();
    world.failAt = d.peerId;
    const error = (await buildCircuit(world, { ...b, session: world.first(b).session }, [c, d]).catch(
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
    await expect(buildCircuit(world, first, [c], { signal })).rejects.toMatchObject({ code: 'aborted' });
    // A hop that says so is a hop that failed.
    await expect(buildCircuit(world, first, [c])).rejects.toMatchObject({ code: 'circuit.extend-failed' });
  });

  test('closed while it is extended, the new hop is closed as well', async () => {
    const world = new World();
    const circuit = new Circuit(world, { ...b, session: world.first(b).session });
    const extending = circuit.extend(c);
    circuit.close('shutdown');
    await expect(extending).rejects.toMatchObject({ code: 'circuit.extend-failed' });
    expect(world.sessions.map(({ closedWith }) => closedWith)).toEqual([undefined, 'closed']);
  });
});

describe('a circuit', () => {
  const built = async (): Promise<{ world: World; circuit: Circuit }> => {
    const world = new World();
    const circuit = await buildCircuit(world, { ...b, session: world.first(b).session }, [c, d]);
    world.log.length = 0;
    return { world, circuit };
  };

  test('closes innermost first, without its first hop', async () => {
    const { circuit, world } = await built();
    circuit.close('shutdown');
    expect(world.log).toEqual(['closed session 2', 'closed session 1']);
    expect(world.sessions.map(({ closedWith }) => closedWith)).toEqual([undefined, 'shutdown', 'shutdown']);
    expect(circuit.usable).toBe(false);
  });

  test('a fault is between the nearest session that is interrupted, and the hop before it', async () => {
    const { circuit, world } = await built();
    world.stall(2);
    expect(circuit).toMatchObject({ usable: false, fault: { from: c.peerId, to: d.peerId } });
    // What is carried is interrupted as well.
    world.stall(1);
    expect(circuit.fault).toEqual({ from: b.peerId, to: c.peerId });
    world.stall(0);
    expect(circuit.fault).toEqual({ from: undefined, to: b.peerId });
  });
});
