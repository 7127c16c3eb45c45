import { randomBelow, randomBetween } from '@matryoshka/session';
import { seededRandom } from '@matryoshka/simulation';
import type { Link } from '@matryoshka/transport';
import { MatryoshkaError } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import type { LinkAttempt, LinkSource } from '../src/index.ts';
import { NOTHING, Stage, type StageOptions, StallingLink, channels } from './resume-stage.ts';

// A session with a good link moves to another one (docs/protocol.md §5.2): make before break.

const LATENCY_MS = 20;
/** Dial and handshake, one round trip each, up to the point of no return. */
const READY_MS: number = 4 * LATENCY_MS;

/** A source over the same network, that counts how often it is asked. */
function another(stage: Stage): LinkSource & { readonly asked: LinkAttempt[] } {
  const asked: LinkAttempt[] = [];
  return {
    asked,
    next: (attempt, signal) => {
      asked.push(attempt);
      return stage.dial(attempt, signal);
    },
  };
}

async function failure(stage: Stage, promise: Promise<void>): Promise<string> {
  const error: unknown = await stage.world.run(promise).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof MatryoshkaError ? error.code : `no failure: ${String(error)}`;
}

/** A channel with bytes under way in both directions for as long as `forMs`. */
async function busy(options: StageOptions = {}): Promise<{ readonly stage: Stage; finish(): Promise<void> }> {
  const stage = await Stage.connected({ latencyMs: LATENCY_MS, ...options });
  const channel = channels(stage.bob)(stage.session());
  channel.out.send(1_000_000, true);
  channel.back.send(1_000_000, true);
  await stage.advance(100);
  return {
    stage,
    finish: async () => {
      await stage.advance(60_000);
      expect([channel.out, channel.back]).toMatchObject([
        { received: 1_000_000, wrong: 0, ended: true },
        { received: 1_000_000, wrong: 0, ended: true },
      ]);
      stage.session().close();
      await stage.advance(60_000);
      await expect(stage.leftovers()).resolves.toEqual(NOTHING);
    },
  };
}

describe('a session that moves to another path', () => {
  test('makes the new link before the old one is closed, and loses nothing', async () => {
    const { stage, finish } = await busy();
    const source = another(stage);
    const [old] = stage.wires;
    const moved = stage.session().reroute(source);
    // Up to the point of no return both links are there, and the old one carries what there is.
    const before = stage.session().bytesReceived;
    await stage.advance(READY_MS - 1);
    expect([stage.session().suspended, stage.world.network.wires().length]).toEqual([false, 2]);
    expect(stage.session().bytesReceived).toBeGreaterThan(before);
    await stage.world.run(moved);
    await stage.advance(200);
    expect(stage.world.network.wires()).not.toContain(old);
    expect(source.asked).toMatchObject([{ reason: undefined, session: stage.session().id }]);
    expect([stage.alice.events, stage.bob.events]).toEqual([
      ['suspended session.link-lost', 'resumed'],
      ['suspended session.link-lost', 'resumed'],
    ]);
    await finish();
  });

  test('gets every later link from there, too', async () => {
    const { stage, finish } = await busy();
    const source = another(stage);
    await stage.world.run(stage.session().reroute(source));
    stage.wire.cut();
    await stage.advance(1000);
    expect([source.asked.length, stage.attempts.length, stage.session().suspended]).toEqual([2, 1, false]);
    await finish();
  });

  test('or, where no other is named, from where it had them', async () => {
    const { stage, finish } = await busy();
    await stage.world.run(stage.session().reroute());
    expect(stage.attempts).toMatchObject([{ session: undefined }, { reason: undefined, session: stage.session().id }]);
    await finish();
  });

  test('hears why there is no such path; the old one goes on as if nothing had been', async () => {
    const { stage, finish } = await busy();
    const next = (): Promise<Link> => Promise.reject(new MatryoshkaError('relay.no-peers-available'));
    expect(await failure(stage, stage.session().reroute({ next }))).toBe('relay.no-peers-available');
    const silent = (): Promise<Link> => new Promise(() => {});
    expect(await failure(stage, stage.session().reroute({ next: silent }))).toBe('session.timeout');
    expect([stage.alice.events, stage.bob.events, stage.alice.carried]).toEqual([[], [], []]);
    await finish();
  });

  test('can be told to stay, up to the point of no return', async () => {
    const { stage, finish } = await busy();
    const controller = new AbortController();
    const moved = stage.session().reroute(another(stage), controller.signal);
    moved.catch(() => {});
    await stage.advance(READY_MS - 1);
    controller.abort();
    expect(await failure(stage, moved)).toBe('aborted');
    expect(stage.alice.events).toEqual([]);
    expect(await failure(stage, stage.session().reroute(another(stage), controller.signal))).toBe('aborted');
    await finish();
  });

  test('whose new link breaks behind the point of no return goes on from where it had its links', async () => {
    const { stage, finish } = await busy();
    const moved = stage.session().reroute(another(stage));
    moved.catch(() => {});
    await stage.advance(READY_MS + 1);
    expect(stage.session().suspended).toBe(true);
    stage.wires.at(-1)?.cut();
    expect(await failure(stage, moved)).toBe('transport.closed');
    await stage.advance(1000);
    expect([stage.attempts.length, stage.alice.events.at(-1)]).toEqual([2, 'resumed']);
    await finish();
  });

  test('whose old link breaks meanwhile goes on over the new one', async () => {
    const { stage, finish } = await busy();
    const moved = stage.session().reroute(another(stage));
    await stage.advance(30);
    stage.wires[0]?.cut();
    await stage.world.run(moved);
    expect([stage.attempts.length, stage.session().suspended]).toEqual([1, false]);
    await finish();
  });

  test('or, where the move comes to nothing, from where it had its links', async () => {
    const { stage, finish } = await busy();
    const next = (_attempt: LinkAttempt, signal: AbortSignal): Promise<Link> =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new MatryoshkaError('aborted'))));
    const moved = stage.session().reroute({ next });
    moved.catch(() => {});
    await stage.advance(30);
    stage.wires[0]?.cut();
    await stage.advance(1000);
    expect([stage.attempts.length, stage.session().suspended]).toEqual([1, true]);
    expect(await failure(stage, moved)).toBe('session.timeout');
    await stage.advance(1000);
    expect([stage.attempts.length, stage.session().suspended]).toEqual([2, false]);
    await finish();
  });

  test('takes the place of the attempts of one that is suspended', async () => {
    const { stage, finish } = await busy();
    stage.instead.push(() => Promise.reject(new MatryoshkaError('transport.dial-failed')));
    stage.instead.push(() => new Promise(() => {}));
    stage.wire.cut();
    await stage.advance(300);
    expect(stage.session().suspended).toBe(true);
    await stage.world.run(stage.session().reroute(another(stage)));
    expect(stage.session().suspended).toBe(false);
    await finish();
  });

  test('is not kept from it by a path that flows again', async () => {
    const links: StallingLink[] = [];
    const wrap = (link: Link): Link => {
      const made = new StallingLink(link);
      links.push(made);
      return made;
    };
    const { stage, finish } = await busy({ wrap });
    const moved = stage.session().reroute(another(stage));
    links[0]?.stall();
    await stage.advance(10);
    links[0]?.flow();
    await stage.world.run(moved);
    expect(stage.alice.events).toEqual(['suspended session.link-lost', 'resumed']);
    await finish();
  });

  test('only one move at a time, and only by the side that has opened it', async () => {
    const { stage, finish } = await busy();
    const moved = stage.session().reroute(another(stage));
    expect(await failure(stage, stage.session().reroute(another(stage)))).toBe('session.not-reroutable');
    await stage.world.run(moved);
    expect(await failure(stage, stage.other().reroute(another(stage)))).toBe('session.not-reroutable');
    await finish();
  });

  test('not one that ends with its link, nor one that is over', async () => {
    const stage = await Stage.connected({ alice: { resume: false } });
    expect(await failure(stage, stage.session().reroute(another(stage)))).toBe('session.not-reroutable');
    const moved = stage.session().reroute(another(stage));
    moved.catch(() => {});
    stage.session().close(new MatryoshkaError('shutdown'));
    expect(await failure(stage, stage.session().reroute(another(stage)))).toBe('shutdown');
    expect(await failure(stage, moved)).toBe('session.not-reroutable');
  });

  test('that is closed while it moves says why it was', async () => {
    const { stage } = await busy();
    const moved = stage.session().reroute(another(stage));
    moved.catch(() => {});
    await stage.advance(50);
    stage.session().close(new MatryoshkaError('shutdown'));
    expect(await failure(stage, moved)).toBe('shutdown');
    await stage.advance(60_000);
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  test.each([1, 2, 3, 4, 5, 6])('seed %i: moves and cuts at any time lose and repeat nothing', async (seed) => {
    const { stage, finish } = await busy({ seed, latencyMs: [5, 40] });
    const random = seededRandom(seed);
    for (let i = 0; i < 40; i++) {
      if (randomBelow(random, 3) > 0)
        stage
          .session()
          .reroute(another(stage))
          .catch(() => {});
      else stage.wires.at(-1 - randomBelow(random, 2))?.cut();
      await stage.advance(randomBetween(random, 1, 150));
    }
    await finish();
  });
});
