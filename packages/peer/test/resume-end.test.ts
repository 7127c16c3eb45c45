import { randomBetween } from '@matryoshka/session';
import { seededRandom } from '@matryoshka/simulation';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DEFAULT_RESUME_SETTINGS, Stream } from '../src/index.ts';
import { failureOf } from './pair.ts';
import { ALICE, BOB, type Channel, NOTHING, type ResumeNode, Stage, channels } from './resume-stage.ts';

// How it ends where it cannot go on (docs/protocol.md §5.3): by itself, at both ends, with everything told and nothing left.

const { graceMs } = DEFAULT_RESUME_SETTINGS;
const SUSPENDED_AND_RESUMED = ['suspended session.link-lost', 'resumed'];
const FOREVER = Number.POSITIVE_INFINITY;

/** No link gets through any more. */
function isolate(stage: Stage): void {
  stage.world.network.block(ALICE, BOB.host);
}

/** Bytes of stream data that sessions take in from now on, read or not. */
function countArrivals(): ReadonlyMap<Stream, number> {
  const arrived = new Map<Stream, number>();
  const original: (this: Stream, bytes: Uint8Array) => void = Stream.prototype.received;
  vi.spyOn(Stream.prototype, 'received').mockImplementation(function (this: Stream, bytes: Uint8Array) {
    arrived.set(this, (arrived.get(this) ?? 0) + bytes.length);
    original.call(this, bytes);
  });
  return arrived;
}

afterEach(() => void vi.restoreAllMocks());

describe('a session that gets no other link', () => {
  test('ends at both ends when the grace period is over, with what it lost its link for', async () => {
    const stage = await Stage.connected();
    isolate(stage);
    await stage.advance(graceMs - 1);
    expect([stage.session().suspended, stage.other().suspended]).toEqual([true, true]);
    await stage.advance(2);
    expect([stage.alice.events, stage.bob.events]).toEqual([
      ['suspended session.link-lost', 'closed session.link-lost'],
      ['suspended session.link-lost', 'closed session.link-lost'],
    ]);
    await expect(stage.session().closed).resolves.toMatchObject({
      message: expect.stringMatching(/broke.*the last attempt to resume it/) as unknown,
      cause: { code: 'transport.dial-failed' },
    });
    await expect(stage.other().closed).resolves.toMatchObject({
      cause: { code: 'session.link-lost', cause: { code: 'transport.closed' } },
    });
    // The links that it carried are interrupted first, and lost then.
    expect([stage.alice.carried, stage.bob.carried]).toEqual([
      ['stalled', 'closed'],
      ['stalled', 'closed'],
    ]);
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  test('fails all that waits for it: streams that are opened, streams that are open, hellos', async () => {
    const stage = await Stage.connected();
    const open = channels(stage.bob);
    const channel = open(stage.session());
    await stage.advance(100);
    isolate(stage);
    await stage.advance(10);
    const opening = failureOf(stage.session().openStream('/channel/1'));
    channel.out.send(1000);
    await stage.advance(graceMs);
    await expect(opening).resolves.toMatchObject({
      code: 'session.link-lost',
      progress: { sentBytes: 0, receivedBytes: 0, consumedBytes: 0 },
    });
    expect([channel.out.closedWith, channel.back.closedWith]).toMatchObject([{ code: 'session.link-lost' }, { code: 'session.link-lost' }]);
    await expect(failureOf(stage.session().openStream('/channel/1'))).resolves.toMatchObject({ code: 'session.link-lost' });
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  test.each([
    ['has no settings', false],
    ['has no grace period', { graceMs: 0 }],
  ] as const)('ends with its link where it %s', async (_what, resume) => {
    const stage = await Stage.connected({ alice: { resume }, bob: { resume } });
    const open = channels(stage.bob);
    const channel = open(stage.session());
    await stage.advance(100);
    stage.wire.cut();
    await stage.advance(1);
    expect([stage.alice.events, stage.bob.events]).toEqual([['closed session.link-lost'], ['closed session.link-lost']]);
    // It was not suspended: nothing was kept to say how far it came.
    expect(channel.out.closedWith).toMatchObject({ code: 'session.link-lost', progress: undefined });
    await stage.advance(graceMs);
    expect(stage.attempts).toHaveLength(1);
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  test('hears why where only the other side had such settings', async () => {
    const stage = await Stage.connected({ bob: { resume: false } });
    stage.wire.cut();
    await stage.advance(1000);
    expect([stage.alice.events, stage.bob.events]).toEqual([
      ['suspended session.link-lost', 'closed session.resume-unknown'],
      ['closed session.link-lost'],
    ]);
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });
});

describe('what the error of a stream says of its progress', () => {
  test('exactly what was sent, received and consumed, where all of it was told', async () => {
    const stage = await Stage.connected();
    const open = channels(stage.bob);
    const [one, two] = [open(stage.session()), open(stage.session())];
    await stage.advance(100);
    two.accepted?.pause();
    one.out.send(700_000);
    two.out.send(300_000);
    one.back.send(200_000);
    await stage.advance(2000);
    // One record begun, not sealed: sent, as far as the stream is concerned, and received by nobody.
    stage.world.clock.soon(() => one.out.send(1000));
    isolate(stage);
    await stage.advance(1);
    // Still in the stream: not sent.
    one.out.send(5000);
    await stage.advance(graceMs);
    expect(one.out.progress).toMatchObject({ sentBytes: 701_000, receivedBytes: 700_000 });
    expect(two.out.progress).toEqual({ sentBytes: 300_000, receivedBytes: 300_000, consumedBytes: 0 });
    expect(one.back.progress).toMatchObject({ sentBytes: 200_000, receivedBytes: 200_000 });
    // Consumption is told with credit, each time half a window is used up.
    const consumed = one.out.progress?.consumedBytes as number;
    expect([consumed <= one.out.received, consumed > one.out.received - (one.accepted?.windowBytes as number) / 2]).toEqual([true, true]);
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  const SEEDS = Array.from({ length: 40 }, (_, i) => i + 1);
  test.each(SEEDS)('seed %i: never more than the truth at the other end, whatever was lost on the way', async (seed) => {
    const random = seededRandom(seed);
    const arrived = countArrivals();
    const between = (low: number, high: number): number => randomBetween(random, low, high);
    const stage = await Stage.connected({ seed, latencyMs: [1, between(2, 80)] });
    const open = channels(stage.bob);
    const all = Array.from({ length: between(1, 4) }, () => open(stage.session()));
    await stage.advance(500);
    const traffic = async (): Promise<void> => {
      for (let step = between(1, 12); step > 0; step--) {
        const channel = all[between(0, all.length - 1)] as Channel;
        (between(0, 1) === 0 ? channel.out : channel.back).send(between(1, 200_000));
        if (between(0, 3) === 0) channel.accepted?.[between(0, 1) === 0 ? 'pause' : 'resume']();
        if (between(0, 3) === 0) channel.opened?.[between(0, 1) === 0 ? 'pause' : 'resume']();
        // The order is the point.
        // oxlint-disable-next-line no-await-in-loop
        await stage.advance(between(0, 60));
      }
    };
    await traffic();
    // Once over another link, so that records are sealed again and again kept.
    if (between(0, 1) === 0) {
      stage.wire.cut({ inFlight: between(0, 1) === 0 });
      await stage.advance(between(0, 400));
    }
    await traffic();
    const side = (['dialler', 'listener'] as const)[between(0, 1)] as 'dialler' | 'listener';
    stage.wire.lose(side, { inFlight: between(0, 1) === 0 });
    await traffic();
    isolate(stage);
    await traffic();
    await stage.advance(2 * graceMs);
    for (const { opened, accepted, out, back } of all) {
      const ends = [
        [out, opened, accepted],
        [back, accepted, opened],
      ] as const;
      for (const [flow, from, to] of ends) {
        if (from === undefined || to === undefined) continue;
        const { sentBytes, receivedBytes, consumedBytes } = flow.progress as NonNullable<typeof flow.progress>;
        expect(flow.wrong).toBe(0);
        expect(sentBytes).toBe(from.bytesSent);
        expect(to.bytesReceived).toBe(flow.received);
        expect(receivedBytes).toBeLessThanOrEqual(sentBytes);
        // All that was consumed there was received there, and what is said to be consumed was.
        expect(consumedBytes).toBeLessThanOrEqual(flow.received);
        expect(consumedBytes).toBeLessThanOrEqual(receivedBytes);
        // Taken in by the session there: consumed, or waiting for a reader that had paused.
        expect(receivedBytes).toBeLessThanOrEqual(arrived.get(to) ?? 0);
      }
    }
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });
});

describe('close() while suspended', () => {
  test.each(['alice', 'bob'] as const)("ends %s's side at once: no timer, no slab, no attempt is left", async (name) => {
    const stage = await Stage.connected();
    const open = channels(stage.bob);
    const channel = open(stage.session());
    await stage.advance(100);
    channel.out.send(500_000);
    channel.back.send(500_000);
    stage.wire.cut();
    await stage.advance(1);
    const node: ResumeNode = stage[name];
    const session = node.opened[0];
    session?.close();
    expect(node.events).toEqual(['suspended session.link-lost', 'closed closed']);
    expect([node.slabs.out, session?.sending, stage.acceptor.suspended]).toEqual([0, false, name === 'alice' ? 1 : 0]);
    await expect(session?.closed).resolves.toMatchObject({ code: 'closed' });
    const closedAtMs = stage.world.clock.now();
    if (name === 'alice') {
      stage.other().close();
      // Whatever still had to happen has happened at once.
      await expect(stage.leftovers()).resolves.toEqual(NOTHING);
      expect(stage.world.clock.now() - closedAtMs).toBeLessThan(50);
    } else {
      // Whoever resumes hears of it.
      await stage.advance(1000);
      expect(stage.alice.events).toEqual(['suspended session.link-lost', 'closed closed']);
      await expect(stage.leftovers()).resolves.toEqual(NOTHING);
    }
  });

  const STEPS = [0, 5, 25, 30, 50, 70, 75, 90, 110, 130];
  test.each(STEPS)('%i ms after the cut, in the middle of an attempt: the attempt is given up', async (afterMs) => {
    const stage = await Stage.connected();
    stage.wire.cut();
    await stage.advance(afterMs);
    stage.session().close();
    const closedAtMs = stage.world.clock.now();
    await stage.advance(200);
    stage.other().close();
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
    expect(stage.world.clock.now() - closedAtMs).toBeLessThanOrEqual(400);
    expect(stage.alice.events.at(-1)).toBe('closed closed');
  });

  test('by whoever is told of the suspension, or of the resume', async () => {
    for (const name of ['alice', 'bob'] as const) {
      for (const when of ['whenSuspended', 'whenResumed'] as const) {
        // Each in its own world, one after the other.
        // oxlint-disable-next-line no-await-in-loop
        const stage = await Stage.connected();
        stage[name][when] = (session) => session.close();
        stage.wire.cut();
        // oxlint-disable-next-line no-await-in-loop
        await stage.advance(1000);
        expect([stage.alice.events.at(-1), stage.bob.events.at(-1)]).toEqual(
          name === 'alice' && when === 'whenSuspended'
            ? // Nobody tells Bob: he waits.
              ['closed closed', 'suspended session.link-lost']
            : ['closed closed', 'closed closed'],
        );
        // oxlint-disable-next-line no-await-in-loop
        await expect(stage.leftovers()).resolves.toEqual(NOTHING);
      }
    }
  });

  test('the keys of all epochs are overwritten', async () => {
    const stage = await Stage.open();
    const keys = { made: 0, wiped: 0 };
    for (const node of [stage.alice, stage.bob]) {
      const { aead } = node.provider;
      Object.assign(node.provider, {
        aead: (...args: Parameters<typeof aead>) => {
          const made = aead(...args);
          keys.made++;
          let wiped = false;
          const { wipe } = made;
          return Object.assign(made, {
            wipe: () => {
              if (!wiped) keys.wiped++;
              wiped = true;
              wipe.call(made);
            },
          });
        },
      });
    }
    const session = await stage.connect();
    const open = channels(stage.bob);
    const channel = open(session);
    await stage.advance(200);
    for (let epoch = 0; epoch < 3; epoch++) {
      channel.out.send(300_000);
      channel.back.send(300_000);
      // One after the other.
      // oxlint-disable-next-line no-await-in-loop
      await stage.advance(30);
      stage.wire.cut({ inFlight: true });
      // oxlint-disable-next-line no-await-in-loop
      await stage.advance(1000);
    }
    // Of each epoch that is over; of the one there is, four are in use.
    expect(keys.made - keys.wiped).toBe(4);
    isolate(stage);
    await stage.advance(2 * graceMs);
    expect([keys.made - keys.wiped, keys.made > 16]).toEqual([0, true]);
  });
});

describe('a session that the other side does not have', () => {
  test('because session-new was lost with the first link: it is opened anew, without loss or repetition', async () => {
    const stage = await Stage.open();
    const open = channels(stage.bob);
    // Behind the request: the opening and all that follows it are lost.
    stage.world.network.watch((wire) => {
      if (wire.id === 1) wire.cut({ at: { side: 'dialler', byte: 1280 }, toldMs: { dialler: 300, listener: 300 } });
    });
    const session = await stage.connect();
    const channel = open(session);
    for (let i = 1; i <= 3; i++) session.send({ type: 'relay-close', port: BigInt(i), reason: 'closed' });
    await stage.advance(100);
    expect(stage.bob.opened).toHaveLength(0);
    await stage.advance(1000);
    channel.out.send(100_000, true);
    channel.back.send(100_000, true);
    await stage.advance(1000);
    expect([stage.bob.opened.length, stage.bob.notes, stage.alice.events]).toEqual([1, [1, 2, 3], SUSPENDED_AND_RESUMED]);
    expect([channel.out, channel.back]).toMatchObject([
      { received: 100_000, wrong: 0, ended: true },
      { received: 100_000, wrong: 0, ended: true },
    ]);
    // Asked for the one, opened another: and that one goes on over the next link as any other.
    expect(stage.wires).toHaveLength(3);
    stage.wire.cut();
    await stage.advance(1000);
    expect([stage.bob.opened.length, stage.alice.events, stage.bob.events]).toEqual([
      1,
      [...SUSPENDED_AND_RESUMED, ...SUSPENDED_AND_RESUMED],
      SUSPENDED_AND_RESUMED,
    ]);
    session.close();
    await stage.advance(1000);
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  test('yet: an opening that comes after the other side has said so opens nothing any more', async () => {
    const stage = await Stage.open();
    const slow = (from: number, latencyMs: number): void =>
      void stage.world.clock.after(from, () => stage.world.network.setPath(ALICE, BOB.host, { latencyMs }));
    // The opening and what follows it take two seconds; Alice's end of that link breaks, and the next one is fast.
    slow(75, 2000);
    slow(85, 5);
    const session = await stage.connect();
    for (let i = 1; i <= 3; i++) session.send({ type: 'relay-close', port: BigInt(i), reason: 'closed' });
    await stage.advance(10);
    stage.wire.cut({ toldMs: { listener: 10_000 } });
    await stage.advance(5000);
    expect([session.sending, stage.alice.events, stage.bob.opened.length, stage.bob.notes]).toEqual([
      true,
      SUSPENDED_AND_RESUMED,
      1,
      [1, 2, 3],
    ]);
    session.close();
    await stage.advance(20_000);
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  test('where it was opened before its first link broke, is resumed and not opened again', async () => {
    const stage = await Stage.open();
    // The opening arrives; whatever Bob says after his answer is lost.
    stage.world.network.watch((wire) => {
      if (wire.id === 1) wire.cut({ at: { side: 'listener', byte: 1344 }, toldMs: { dialler: 500, listener: FOREVER } });
    });
    const session = await stage.connect();
    session.send({ type: 'relay-close', port: 1n, reason: 'closed' });
    await stage.advance(1000);
    session.send({ type: 'relay-close', port: 2n, reason: 'closed' });
    await stage.advance(1000);
    expect([stage.bob.opened.length, stage.bob.notes, stage.wires.length]).toEqual([1, [1, 2], 2]);
    session.close();
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  test.each([
    ['it closed it', (stage: Stage) => stage.other().close(), 'closed'],
    ['it ended it for a fault', (stage: Stage) => stage.other().failed(new Error('broken')), 'bug'],
  ] as const)('any more, because %s: the reason is told, and no new one is opened', async (_what, end, code) => {
    const stage = await Stage.connected();
    stage.wire.lose('listener');
    end(stage);
    await stage.advance(100);
    expect(stage.session().sending).toBe(true);
    stage.wire.cut();
    await stage.advance(1000);
    await expect(stage.session().closed).resolves.toMatchObject({ code });
    expect([stage.bob.opened.length, stage.attempts.length]).toEqual([1, 2]);
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  test('any more, because it refused it, which was lost: that refusal is told', async () => {
    const stage = await Stage.open({ bob: { acceptAnonymous: false } });
    stage.world.network.watch((wire) => {
      if (wire.id === 1) wire.cut({ at: { side: 'listener', byte: 1344 } });
    });
    const session = await stage.connect({ anonymous: true });
    await expect(stage.world.run(session.closed)).resolves.toMatchObject({ code: 'session.anonymous-refused' });
    expect(stage.bob.opened).toHaveLength(0);
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  test('any more, because its grace period was shorter', async () => {
    const stage = await Stage.connected({ bob: { resume: { graceMs: 1000 } } });
    isolate(stage);
    await stage.advance(5000);
    stage.world.network.unblock(ALICE, BOB.host);
    await stage.advance(10_000);
    expect([stage.alice.events, stage.bob.events]).toEqual([
      ['suspended session.link-lost', 'closed session.link-lost'],
      ['suspended session.link-lost', 'closed session.link-lost'],
    ]);
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  test('any more, because it had too many that waited', async () => {
    const stage = await Stage.open({ bob: { resume: { maxSuspendedPerPeer: 2 } } });
    for (let i = 0; i < 4; i++) {
      // One after the other.
      // oxlint-disable-next-line no-await-in-loop
      await stage.world.run((await stage.connect()).greeted);
    }
    isolate(stage);
    await stage.advance(1000);
    expect(stage.acceptor.suspended).toBe(2);
    stage.world.network.unblock(ALICE, BOB.host);
    await stage.advance(10_000);
    expect(stage.alice.opened.map(({ sending }) => sending)).toEqual([false, false, true, true]);
    await expect(Promise.all([stage.session(0).closed, stage.session(1).closed])).resolves.toMatchObject([
      { code: 'session.evicted' },
      { code: 'session.evicted' },
    ]);
    expect([stage.acceptor.suspended, stage.bob.events.filter((event) => event.startsWith('closed'))]).toEqual([
      0,
      ['closed session.evicted', 'closed session.evicted'],
    ]);
  });
});
