import { Session } from '@matryoshka/peer';
import { randomBelow } from '@matryoshka/session';
import { createWorld, seededRandom } from '@matryoshka/simulation';
import { HANDSHAKE_ANSWER_LENGTH, MatryoshkaError } from '@matryoshka/wire';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Party, holdings, nothing } from './relay-world.ts';

afterEach(() => vi.restoreAllMocks());

/** Requests that are sent from now on, by their first handshake message. */
function countSends(): Map<string, number> {
  const counts = new Map<string, number>();
  const original = Session.prototype.send;
  vi.spyOn(Session.prototype, 'send').mockImplementation(function (this: Session, message) {
    if (message.type === 'relay-create') {
      const request = Buffer.from(message.request.subarray(0, 16)).toString('hex');
      counts.set(request, (counts.get(request) ?? 0) + 1);
    }
    original.call(this, message);
  });
  return counts;
}

interface Result {
  readonly hops: number;
  /** `opened`, or the code of its refusal. */
  readonly how: string;
  readonly sends: number;
}

type Manner = 'good' | 'mute' | 'sends on and is gone' | 'gone';

/** What a relay does with requests from now on. */
function behave(party: Party, manner: Manner): void {
  if (manner === 'good') return;
  const original = party.relay.message.bind(party.relay);
  vi.spyOn(party.relay, 'message').mockImplementation((session, message) => {
    if (message.type !== 'relay-create' || message.hopsLeft === 0) {
      original(session, message);
      return;
    }
    if (manner === 'sends on and is gone') original(session, message);
    if (manner !== 'mute') party.world.clock.after(12, () => session.close(new MatryoshkaError('shutdown')));
  });
}

/** A at the edge of a mesh, D connected to some of it, and manners drawn for everybody between. */
async function mesh(seed: number): Promise<{ readonly parties: Party[]; readonly a: Party; readonly d: Party }> {
  const random = seededRandom(seed);
  const world = createWorld({ seed, latencyMs: 5 });
  const parties = Array.from({ length: 8 }, (_, i) => new Party(world, `10.${i + 1}.0.1`, seed * 100 + i));
  for (const party of parties) await party.listen();
  const [a, d, ...relays] = parties as [Party, Party, ...Party[]];
  for (const [i, relay] of relays.entries()) {
    if (i < 2) await world.run(a.dial(relay.endpoint));
    for (const other of relays.slice(i + 1)) if (randomBelow(random, 4) > 0) await world.run(relay.dial(other.endpoint));
  }
  await world.clock.advance(100);
  // The destination answers at once.
  d.arrived.push = ({ link }) => Number(link.send([new Uint8Array(HANDSHAKE_ANSWER_LENGTH)]));
  const manners = ['good', 'good', 'mute', 'sends on and is gone', 'gone'] as const satisfies Manner[];
  // Of the first relays there is no choice.
  for (const relay of relays.slice(2)) behave(relay, manners[randomBelow(random, manners.length)] as Manner);
  return { parties, a, d };
}

describe('R15 over networks in which anybody may fail', () => {
  const ended: Result[] = [];

  test.each(Array.from({ length: 5 }, (_, i) => i + 1))(
    'seed %i: a request causes at most its hops and 8 sends, and ends in time',
    async (seed) => {
      const counts = countSends();
      const { parties, a, d } = await mesh(seed);
      const { world } = a;
      const random = seededRandom(seed + 1000);
      const requests = Array.from({ length: 6 }, async (_, i) => {
        const hops = 2 + randomBelow(random, 5);
        const first = new Uint8Array(1280).fill(seed * 8 + i + 1);
        let how = 'opened';
        try {
          const gateway = a.relay.chooseGateway(d.destination, hops);
          const link = await a.relay.open({ gateway, destination: d.destination, remote: d.endpoint, hops }, first);
          link.close();
        } catch (error) {
          how = (error as MatryoshkaError).code;
        }
        return { hops, how, sends: counts.get(Buffer.from(first.subarray(0, 16)).toString('hex')) ?? 0 };
      });
      const answering = setInterval(() => {}, 1e6);
      clearInterval(answering);
      const from = world.clock.now();
      const results = await world.run(Promise.all(requests));
      ended.push(...results);
      for (const { hops, sends } of results) expect(sends).toBeLessThanOrEqual(hops + 8);
      expect(world.clock.now() - from).toBeLessThanOrEqual(32_000);
      expect(results.filter(({ how }) => how === 'bug')).toEqual([]);
      await world.clock.advance(120_000);
      expect(holdings(parties)).toEqual(nothing(parties));
    },
  );

  test('the runs did what they are for', () => {
    expect(ended.filter(({ how }) => how === 'opened').length).toBeGreaterThan(ended.length / 4);
    expect(new Set(ended.map(({ how }) => how)).size).toBeGreaterThan(2);
    // Others were asked in the place of those that failed.
    expect(ended.filter(({ hops, how, sends }) => how === 'opened' && sends > hops).length).toBeGreaterThan(0);
  });
});
