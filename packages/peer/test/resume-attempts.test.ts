import { type RecordKeys, ResponderHandshake, createIdentity } from '@matryoshka/session';
import type { CutOptions } from '@matryoshka/simulation';
import { type Link, type LinkHandler, memoryLink } from '@matryoshka/transport';
import { HANDSHAKE_OPENING_LENGTH, MatryoshkaError, type Message } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { type LinkAttempt, hourBucket } from '../src/index.ts';
import { recordKeys, sealMessage } from '../src/opening.ts';
import { NOTHING, type ResumeNode, Stage, channels } from './resume-stage.ts';

// How the initiator gets its next link (docs/protocol.md §5.2): attempt after attempt, whatever they fail with.

const TIMEOUT_MS = 500;
const A_WHILE_MS = 5000;

const SILENT: LinkHandler = { message() {}, written() {}, writable() {}, stalled() {}, flowing() {}, closed() {} };

const rejects = (): Promise<Link> => Promise.reject(new MatryoshkaError('transport.dial-failed'));
const hangs = (_attempt: LinkAttempt, signal: AbortSignal): Promise<Link> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });

/** Whoever accepts a link in Bob's place. */
type Impostor = (link: Link, request: Uint8Array) => void;

function dialImpostor(stage: Stage, impostor: Impostor): (attempt: LinkAttempt) => Promise<Link> {
  return ({ first }) => {
    const [dialled, accepted] = memoryLink({ clock: stage.world.clock, delayMs: () => 5 });
    impostor(accepted, first);
    return Promise.resolve(dialled);
  };
}

/** Answers the handshake as `node`, then does with the opening what it is told. */
function answering(node: ResumeNode, identity = node.identity, opened: (link: Link, keys: RecordKeys) => void = () => {}): Impostor {
  return (link, request) => {
    const handshake = new ResponderHandshake({
      provider: node.provider,
      random: node.random,
      psk: node.psk,
      identity,
      staticKey: node.staticKey,
      hour: hourBucket(node.clock.unixMs()),
    });
    handshake.request(request);
    link.attach({
      ...SILENT,
      message: (bytes) => {
        // Behind it comes what makes it look like a new session.
        if (bytes.length !== HANDSHAKE_OPENING_LENGTH) return;
        handshake.opening(bytes);
        opened(link, recordKeys(node.provider, handshake.keys).sendKeys);
      },
    });
    link.send([handshake.answer()]);
  };
}

function saying(node: ResumeNode, message: Message): Impostor {
  return answering(node, node.identity, (link, keys) => void link.send([sealMessage(keys, message)]));
}

describe('pauses between attempts', () => {
  test('begin within 20 ms, then double from 100 ms up to 1 s, a random half of each left out', async () => {
    const drawn: number[][] = [];
    for (let seed = 1; seed <= 25; seed++) {
      // Each in its own world, one after the other.
      // oxlint-disable-next-line no-await-in-loop
      const stage = await Stage.connected({ seed, alice: { resume: { graceMs: 120_000 } } });
      stage.instead.push(...Array.from({ length: 12 }, () => rejects));
      const cutMs = stage.world.clock.now();
      stage.wire.cut();
      // oxlint-disable-next-line no-await-in-loop
      await stage.advance(60_000);
      const times = [cutMs, ...stage.attempts.slice(1).map(({ atMs }) => atMs)];
      drawn.push(times.slice(1).map((atMs, i) => atMs - (times[i] as number)));
      expect(stage.session().suspended).toBe(false);
    }
    const longest = [20, 100, 200, 400, 800, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000];
    for (const pauses of drawn) {
      expect(pauses).toHaveLength(13);
      for (const [i, pauseMs] of pauses.entries()) {
        expect(pauseMs).toBeLessThanOrEqual(longest[i] as number);
        expect(pauseMs).toBeGreaterThanOrEqual(i === 0 ? 0 : (longest[i] as number) / 2);
      }
    }
    // They are drawn: whoever lost a relay together does not come back together.
    for (const i of longest.keys()) expect(new Set(drawn.map((pauses) => pauses[i])).size).toBeGreaterThan(5);
  });
});

describe('an attempt that fails', () => {
  const CASES: readonly (readonly [string, (stage: Stage) => (attempt: LinkAttempt, signal: AbortSignal) => Promise<Link>, string])[] = [
    ['because the dial rejects', () => rejects, 'transport.dial-failed'],
    ['because the dial rejects with something unheard of', () => () => Promise.reject(new Error('no socket left')), 'bug'],
    ['because the dial takes for ever', () => hangs, 'session.timeout'],
    ['because nobody answers', (stage) => dialImpostor(stage, (link) => link.attach(SILENT)), 'session.timeout'],
    [
      'because the link closes instead of an answer',
      (stage) => dialImpostor(stage, (link) => link.close(new MatryoshkaError('session.busy'))),
      'transport.closed',
    ],
    [
      'because the answer is garbage',
      (stage) => dialImpostor(stage, (link) => void link.send([new Uint8Array(1344).fill(7)])),
      'session.handshake-failed',
    ],
    [
      'because the answer is short',
      (stage) => dialImpostor(stage, (link) => void link.send([new Uint8Array(3)])),
      'session.handshake-failed',
    ],
    [
      'because another peer answers',
      (stage) => dialImpostor(stage, answering(stage.bob, createIdentity(stage.bob.provider, stage.bob.random))),
      'session.wrong-peer',
    ],
    ['because nothing follows the opening', (stage) => dialImpostor(stage, answering(stage.bob)), 'session.timeout'],
    [
      'because the link closes after the opening',
      (stage) =>
        dialImpostor(
          stage,
          answering(stage.bob, undefined, (link) => link.close()),
        ),
      'transport.closed',
    ],
    [
      'because resumed proves nothing',
      (stage) => dialImpostor(stage, saying(stage.bob, { type: 'resumed', delivered: 0, proof: new Uint8Array(32) })),
      'session.resume-failed',
    ],
    [
      'because something else is said instead of resumed',
      (stage) => dialImpostor(stage, saying(stage.bob, { type: 'ping', token: new Uint8Array(8) })),
      'session.unexpected',
    ],
    [
      'because what is said makes no sense',
      (stage) =>
        dialImpostor(
          stage,
          answering(stage.bob, undefined, (link) => void link.send([new Uint8Array(40)])),
        ),
      'session.record-failed',
    ],
  ];

  test.each(CASES)('%s is followed by the next one', async (_what, dial, code) => {
    const stage = await Stage.connected({}, { timeoutMs: TIMEOUT_MS });
    const open = channels(stage.bob);
    const channel = open(stage.session());
    await stage.advance(100);
    stage.instead.push(dial(stage), dial(stage));
    channel.out.send(300_000, true);
    channel.back.send(300_000, true);
    stage.wire.cut();
    await stage.advance(A_WHILE_MS);
    expect(stage.attempts).toHaveLength(4);
    expect([channel.out.received, channel.back.received, channel.out.wrong + channel.back.wrong]).toEqual([300_000, 300_000, 0]);
    expect([stage.alice.events, stage.bob.events]).toEqual([
      ['suspended session.link-lost', 'resumed'],
      ['suspended session.link-lost', 'resumed'],
    ]);
    stage.session().close();
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);

    // And where no other one succeeds, the session ends with its own reason, and with that of the last attempt.
    const lonely = await Stage.connected({}, { timeoutMs: TIMEOUT_MS });
    lonely.instead.push(...Array.from({ length: 200 }, () => dial(lonely)));
    lonely.wire.cut();
    await lonely.advance(31_000);
    await expect(lonely.session().closed).resolves.toMatchObject({ code: 'session.link-lost', cause: { code } });
    await expect(lonely.leftovers()).resolves.toEqual(NOTHING);
  });

  test('as the last one, because there never is another link, ends the session at once', async () => {
    const stage = await Stage.connected();
    stage.instead.push(() => Promise.reject(new MatryoshkaError('session.link-lost', 'the hop before is gone')));
    stage.wire.cut();
    await stage.advance(25);
    await expect(stage.session().closed).resolves.toMatchObject({ code: 'session.link-lost', message: 'the hop before is gone' });
    expect(stage.attempts).toHaveLength(2);
  });

  test('does not outlive its time: a link that is dialled too late is closed', async () => {
    const stage = await Stage.connected({}, { timeoutMs: TIMEOUT_MS });
    let late: Link | undefined;
    stage.instead.push(async (attempt, signal) => {
      late = await stage.dial(attempt, new AbortController().signal);
      await new Promise((resolve) => stage.world.clock.after(2 * TIMEOUT_MS, () => resolve(undefined)));
      expect(signal.aborted).toBe(true);
      return late;
    });
    stage.wire.cut();
    await stage.advance(A_WHILE_MS);
    expect(stage.wires.map(({ open }) => open)).toEqual([false, false, true]);
    expect(stage.alice.events).toEqual(['suspended session.link-lost', 'resumed']);
  });
});

describe('a resume that is cut', () => {
  // Alice: request 1,280, opening 384, then what she sends again. Bob: answer 1,344, resumed, then what he sends again.
  const BYTES = {
    dialler: [0, 1279, 1280, 1663, 1664, 1700, 5000, 60_000],
    listener: [0, 1343, 1344, 1400, 1420, 5000, 60_000],
  } as const;
  const TOLD: readonly (readonly [string, CutOptions])[] = [
    ['both told at once', {}],
    ['both told at once, all on its way lost', { inFlight: true }],
    ['the one late', { toldMs: { dialler: 400 } }],
    ['the other one long after', { toldMs: { listener: 20_000 } }],
  ];
  const CASES = (['dialler', 'listener'] as const).flatMap((side) =>
    BYTES[side].flatMap((byte) => TOLD.map(([told, options]) => [byte, side, told, options] as const)),
  );

  test.each(CASES)('at byte %i of the %s, %s: three times, and goes on', async (byte, side, _told, options) => {
    const stage = await Stage.connected({}, { timeoutMs: TIMEOUT_MS });
    const open = channels(stage.bob);
    const channel = open(stage.session());
    await stage.advance(100);
    channel.out.send(400_000);
    channel.back.send(400_000);
    await stage.advance(25);
    stage.world.network.watch((wire) => {
      if (wire.id <= 4) wire.cut({ at: { side, byte }, ...options });
    });
    stage.wire.cut({ inFlight: true });
    await stage.advance(A_WHILE_MS);
    channel.out.send(1, true);
    channel.back.send(1, true);
    await stage.advance(30_000);
    const { out, back } = channel;
    expect([out, back]).toMatchObject([
      { received: 400_001, wrong: 0, ended: true },
      { received: 400_001, wrong: 0, ended: true },
    ]);
    expect([stage.bob.opened.length, stage.session().sending]).toEqual([1, true]);
    stage.session().close();
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });
});
