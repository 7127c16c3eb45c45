import {
  type Identity,
  InitiatorHandshake,
  type RecordKeys,
  type ResumeClaim,
  SLAB_LENGTH,
  TAG_LENGTH,
  createIdentity,
  randomBytes,
  resumeProof,
} from '@matryoshka/session';
import type { CloseReason, Link } from '@matryoshka/transport';
import { HANDSHAKE_OPENING_LENGTH, type Message, Reader, Writer, decodeMessage, encodeMessage, messageLength } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { hourBucket } from '../src/index.ts';
import { recordKeys, sealOpening } from '../src/opening.ts';
import { HELLO } from './pair.ts';
import { ALICE, BOB, NOTHING, Stage, channels } from './resume-stage.ts';

// What whoever dials may try with a resume (docs/protocol.md §5.2), and what it gets: a refusal that says why, on its
// own link. The session it was after goes on as if nothing had been.

const GOODBYE = 'goodbye';

/** An initiator that keeps its secrets in the open and says what it is told to. */
class Raw {
  readonly received: Message[] = [];
  closed: CloseReason | undefined;
  readonly link: Link;
  readonly #stage: Stage;
  readonly #handshake: InitiatorHandshake;
  readonly #answer: Uint8Array;
  #keys: { readonly sendKeys: RecordKeys; readonly receiveKeys: RecordKeys } | undefined;
  sessionId: Uint8Array = new Uint8Array(16);
  secret: Uint8Array = new Uint8Array(32);
  handshakeHash: Uint8Array = new Uint8Array(32);

  private constructor(stage: Stage, link: Link, handshake: InitiatorHandshake, answer: Uint8Array) {
    this.#stage = stage;
    this.link = link;
    this.#handshake = handshake;
    this.#answer = answer;
  }

  /** Handshake up to the answer; `first` in place of a request of its own. */
  static async dial(stage: Stage, identity?: Identity): Promise<Raw> {
    const { provider, random, psk, clock } = stage.alice;
    const handshake = new InitiatorHandshake({
      provider,
      random,
      suite: 'chacha20poly1305',
      pattern: 'XX',
      psk,
      hour: hourBucket(clock.unixMs()),
      ...(identity !== undefined && { identity }),
    });
    const link = await stage.world.run(stage.transport.dial(BOB, handshake.request(), {}));
    const answer = await stage.world.run(
      new Promise<Uint8Array>((resolve) => {
        link.attach({ ...NOTHING_DONE, message: (bytes) => resolve(bytes.slice()) });
      }),
    );
    return new Raw(stage, link, handshake, answer);
  }

  /** The first record: opens a session, or says it resumes one. */
  begin(message: (hash: Uint8Array) => Message): void {
    this.#handshake.answer(this.#answer);
    const opening = new Uint8Array(HANDSHAKE_OPENING_LENGTH);
    const length = this.#handshake.opening(opening);
    const { keys } = this.#handshake;
    this.sessionId = keys.sessionId;
    this.secret = keys.resumeSecret;
    this.handshakeHash = keys.handshakeHash;
    this.#keys = recordKeys(this.#stage.alice.provider, keys);
    this.link.attach({
      ...NOTHING_DONE,
      message: (bytes) => this.#record(bytes.slice()),
      closed: (reason) => void (this.closed = reason),
    });
    sealOpening(opening, length, this.#keys.sendKeys, message(keys.handshakeHash));
    this.link.send([opening]);
  }

  /** A session of its own, greeted. */
  static async session(stage: Stage, identity?: Identity): Promise<Raw> {
    const raw = await Raw.dial(stage, identity);
    raw.begin(() => ({ type: 'session-new', recordLength: 0 }));
    raw.send(HELLO);
    await stage.advance(100);
    return raw;
  }

  /** Dials again and says that it resumes `of`, with whatever is told otherwise. */
  static async resume(stage: Stage, of: Pick<Raw, 'sessionId' | 'secret'>, claim: Partial<Claim> = {}): Promise<Raw> {
    const raw = await Raw.dial(stage, claim.identity);
    raw.begin((handshakeHash) => {
      const { sessionId, secret } = of;
      const { delivered = 1, provenSecret = secret, ...rest } = claim;
      const proven: ResumeClaim = { role: 'initiator', handshakeHash, sessionId, delivered, ...rest.proven };
      const proof = rest.proof ?? resumeProof(stage.alice.provider, provenSecret, proven);
      return { type: 'session-resume', sessionId: rest.sessionId ?? sessionId, delivered, proof };
    });
    await stage.advance(100);
    return raw;
  }

  send(...messages: readonly Message[]): void {
    const plaintext = new Uint8Array(messages.reduce((length, message) => length + messageLength(message), 0));
    const writer = new Writer(plaintext);
    for (const message of messages) encodeMessage(writer, message);
    const record = new Uint8Array(plaintext.length + TAG_LENGTH);
    this.#keys?.sendKeys.seal(plaintext, record);
    this.link.send([record]);
  }

  of<T extends Message['type']>(type: T): Extract<Message, { type: T }>[] {
    return this.received.filter((message): message is Extract<Message, { type: T }> => message.type === type);
  }

  #record(bytes: Uint8Array): void {
    const reader = new Reader((this.#keys as { receiveKeys: RecordKeys }).receiveKeys.open(bytes));
    while (reader.remaining > 0) {
      const message = decodeMessage(reader);
      if (message === undefined) return;
      this.received.push(message);
    }
  }
}

interface Claim {
  readonly identity: Identity;
  readonly delivered: number;
  readonly sessionId: Uint8Array;
  readonly proof: Uint8Array;
  readonly provenSecret: Uint8Array;
  /** What is proven, where it is not what is said. */
  readonly proven: Partial<ResumeClaim>;
}

const NOTHING_DONE = { message() {}, written() {}, writable() {}, stalled() {}, flowing() {}, closed() {} };

/** A stage with a live session of Alice's that must not be touched, and what is seen of it. */
async function victimStage(): Promise<{ readonly stage: Stage; untouched(): Promise<void> }> {
  const stage = await Stage.connected();
  const open = channels(stage.bob);
  const channel = open(stage.session());
  await stage.advance(100);
  const link = stage.other().link;
  return {
    stage,
    async untouched() {
      channel.out.send(100_000);
      channel.back.send(100_000);
      await stage.advance(1000);
      expect([channel.out, channel.back]).toMatchObject([
        { received: 100_000, wrong: 0 },
        { received: 100_000, wrong: 0 },
      ]);
      expect(stage.other().link).toBe(link);
      expect(stage.alice.events).toEqual([]);
    },
  };
}

describe('a resume', () => {
  const CASES: readonly (readonly [string, (raw: Raw, stage: Stage) => Partial<Claim>, string])[] = [
    ['of an unknown session', () => ({ sessionId: new Uint8Array(16).fill(3) }), 'session.resume-unknown'],
    ['without a proof', () => ({ proof: new Uint8Array(32) }), 'session.resume-failed'],
    ["with another session's secret", (_raw, stage) => ({ provenSecret: randomBytes(stage.alice.random, 32) }), 'session.resume-failed'],
    ['proven for another session', () => ({ proven: { sessionId: new Uint8Array(16) } }), 'session.resume-failed'],
    ['proven for another handshake', (raw) => ({ proven: { handshakeHash: raw.handshakeHash } }), 'session.resume-failed'],
    ['proven for another count', () => ({ delivered: 1, proven: { delivered: 0 } }), 'session.resume-failed'],
    ["proven in the responder's role", () => ({ proven: { role: 'responder' } }), 'session.resume-failed'],
    [
      'by somebody with an identity, of an anonymous session',
      (_raw, stage) => ({ identity: stage.alice.identity }),
      'session.resume-unknown',
    ],
  ];

  test.each(CASES)('%s is refused, and the session it was after goes on', async (_what, claim, code) => {
    const { stage, untouched } = await victimStage();
    const raw = await Raw.session(stage);
    const thief = await Raw.resume(stage, raw, claim(raw, stage));
    expect(thief.received).toEqual([{ type: 'resume-refused', reason: code }]);
    expect(thief.closed).toMatchObject({ code: 'transport.closed' });
    // The session named, where there is one, still answers on its own link.
    raw.send({ type: 'ping', token: new Uint8Array(8) });
    await stage.advance(100);
    expect([raw.of('pong').length, raw.closed, stage.bob.events]).toEqual([1, undefined, []]);
    await untouched();
  });

  test.each([
    ['another peer', (stage: Stage) => createIdentity(stage.alice.provider, stage.alice.random)],
    ['nobody in particular', () => undefined],
  ])('of a session of somebody known, by %s with all of its secrets, is refused', async (_who, identityOf) => {
    const { stage, untouched } = await victimStage();
    const raw = await Raw.session(stage, createIdentity(stage.alice.provider, stage.alice.random));
    const identity = identityOf(stage);
    const thief = await Raw.resume(stage, raw, identity === undefined ? {} : { identity });
    expect(thief.received).toEqual([{ type: 'resume-refused', reason: 'session.resume-unknown' }]);
    expect([raw.closed, stage.bob.events]).toEqual([undefined, []]);
    await untouched();
  });

  test('that is proven takes the session over, from a link that is alive, too', async () => {
    const { stage, untouched } = await victimStage();
    const raw = await Raw.session(stage);
    const again = await Raw.resume(stage, raw);
    expect(again.received[0]).toMatchObject({ type: 'resumed', delivered: 1 });
    expect([raw.closed, stage.bob.events]).toMatchObject([{ code: 'transport.closed' }, ['suspended session.link-lost', 'resumed']]);
    await untouched();
  });

  test('that is recorded and replayed on another link is good for nothing', async () => {
    const stage = await Stage.connected();
    const recorded: Uint8Array[] = [];
    const stop = stage.world.network.tap((from, _to, message, wire) => {
      if (wire.id === 2 && from.host === ALICE) recorded.push(message.slice());
    });
    stage.wire.cut();
    await stage.advance(500);
    stop();
    const [request, opening] = recorded;
    const heard: number[] = [];
    const link = await stage.world.run(stage.transport.dial(BOB, request as Uint8Array, {}));
    let closed = false;
    link.attach({ ...NOTHING_DONE, message: (bytes) => void heard.push(bytes.length), closed: () => void (closed = true) });
    await stage.advance(100);
    link.send([opening as Uint8Array]);
    await stage.advance(100);
    // An answer of this very handshake, and the end: the opening is that of another one.
    expect([heard, closed]).toEqual([[1344], true]);
    expect([stage.alice.events, stage.bob.events]).toEqual([
      ['suspended session.link-lost', 'resumed'],
      ['suspended session.link-lost', 'resumed'],
    ]);
  });

  test.each([
    ['below what was acknowledged', 0],
    ['above what was sent', 3],
    ['far above', 2 ** 40],
  ])('with a count %s ends that session with the reason, and no other', async (_what, delivered) => {
    const { stage, untouched } = await victimStage();
    const raw = await Raw.session(stage);
    // Of Bob's hello.
    raw.send({ type: 'acknowledge', delivered: 1 });
    await stage.advance(100);
    const again = await Raw.resume(stage, raw, { delivered });
    await stage.advance(100);
    expect([stage.bob.events.at(-1), again.closed]).toMatchObject(['closed session.acknowledge-invalid', { code: 'transport.closed' }]);
    // Whoever asks once more hears it again.
    const third = await Raw.resume(stage, raw);
    expect(third.received).toEqual([{ type: 'resume-refused', reason: 'session.acknowledge-invalid' }]);
    await untouched();
  });
});

describe('a peer that acknowledges', () => {
  /** Bob sends all he may to a peer that has granted him all the credit there is. */
  async function greedy(): Promise<{ readonly stage: Stage; readonly raw: Raw; write(): void }> {
    const stage = await Stage.open();
    let write = (): void => {};
    stage.bob.protocols.serve('/flood/1', (stream) => {
      const chunk = new Uint8Array(60_000);
      let left = 30_000_000;
      write = () => {
        while (left > 0 && stream.pendingBytes < 1_000_000) {
          stream.write(chunk);
          left -= chunk.length;
        }
      };
      stream.attach({ writable: write });
      write();
    });
    const raw = await Raw.session(stage);
    raw.send(
      { type: 'stream-open', streamId: 0, window: 0xffff_ffff, protocol: '/flood/1' },
      { type: 'stream-credit', streamId: 0, total: 2 ** 50 },
    );
    await stage.advance(1000);
    return { stage, raw, write: () => write() };
  }

  /** 4 MiB in slabs, the one that is filled, and the one records are sealed again in. */
  const MOST_SLABS = (4 * 1024 * 1024) / SLAB_LENGTH + 3;

  function bytesOf(raw: Raw): number {
    return raw.of('stream-data').reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  test('nothing, not over any link: what is kept for it has a bound, and is sealed for it again each time', async () => {
    const { stage, raw } = await greedy();
    const first = bytesOf(raw);
    expect([first > 3_900_000, first < 4_300_000, stage.bob.slabs.most <= MOST_SLABS]).toEqual([true, true, true]);
    for (let i = 0; i < 5; i++) {
      // One after the other.
      // oxlint-disable-next-line no-await-in-loop
      const again = await Raw.resume(stage, raw, { delivered: 0 });
      // oxlint-disable-next-line no-await-in-loop
      await stage.advance(1000);
      expect(again.of('resumed')).toMatchObject([{ delivered: 2 }]);
      expect(bytesOf(again)).toBe(first);
    }
    expect(stage.bob.slabs.most).toBeLessThanOrEqual(MOST_SLABS);
    // An honest one may still get on from there.
    const honest = await Raw.resume(stage, raw, { delivered: 0 });
    await stage.advance(1000);
    honest.send({ type: 'acknowledge', delivered: 40 });
    await stage.advance(1000);
    expect(bytesOf(honest)).toBeGreaterThan(first + 2_000_000);
    expect(stage.bob.slabs.most).toBeLessThanOrEqual(MOST_SLABS);
    stage.other().close();
    stage.wire.cut();
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  test('backwards is not believed', async () => {
    const { stage, raw } = await greedy();
    raw.send({ type: 'acknowledge', delivered: 40 });
    await stage.advance(1000);
    const sent = bytesOf(raw);
    expect(sent).toBeGreaterThan(4_300_000);
    raw.send({ type: 'acknowledge', delivered: 2 });
    raw.send({ type: 'acknowledge', delivered: 40 });
    await stage.advance(1000);
    expect([bytesOf(raw), stage.other().sending, stage.bob.slabs.most <= MOST_SLABS]).toEqual([sent, true, true]);
  });

  test('what was never sent, or on this link not yet, gets a typed goodbye', async () => {
    const { stage, raw } = await greedy();
    raw.send({ type: 'acknowledge', delivered: 2 ** 40 });
    await stage.advance(100);
    expect(raw.of(GOODBYE)).toEqual([{ type: GOODBYE, reason: 'session.acknowledge-invalid' }]);

    // Over the next link nothing is sent again yet when it acknowledges all that was sent over the one before.
    const other = await greedy();
    const { stage: next } = other;
    const count = other.raw.received.filter(({ type }) => type === 'stream-data').length;
    const again = await Raw.dial(next);
    again.begin((handshakeHash) => {
      const { sessionId, secret } = other.raw;
      const proof = resumeProof(next.alice.provider, secret, { role: 'initiator', handshakeHash, sessionId, delivered: 0 });
      return { type: 'session-resume', sessionId, delivered: 0, proof };
    });
    // In the same breath, before any of it can have gone out.
    again.send({ type: 'acknowledge', delivered: count });
    await next.advance(1000);
    expect([next.bob.events.at(-1), again.of(GOODBYE)]).toEqual([
      'closed session.acknowledge-invalid',
      [{ type: GOODBYE, reason: 'session.acknowledge-invalid' }],
    ]);
  });
});

describe('whoever resumes again and again', () => {
  test('unknown sessions, is refused each time and costs nothing that stays', async () => {
    const { stage, untouched } = await victimStage();
    for (let i = 0; i < 50; i++) {
      const guess = { sessionId: randomBytes(stage.alice.random, 16), secret: new Uint8Array(32) };
      // One after the other.
      // oxlint-disable-next-line no-await-in-loop
      const thief = await Raw.resume(stage, guess);
      expect(thief.received).toEqual([{ type: 'resume-refused', reason: 'session.resume-unknown' }]);
    }
    expect([stage.acceptor.inProgress, stage.acceptor.suspended, stage.bob.events]).toEqual([0, 0, []]);
    await untouched();
  });

  test('its own session, keeps that one busy and no other', async () => {
    const { stage, untouched } = await victimStage();
    const raw = await Raw.session(stage);
    for (let i = 0; i < 20; i++) {
      // One after the other.
      // oxlint-disable-next-line no-await-in-loop
      const again = await Raw.resume(stage, raw);
      expect(again.of('resumed')).toHaveLength(1);
    }
    expect(stage.acceptor.suspended).toBe(0);
    expect(stage.wires.filter(({ open }) => open)).toHaveLength(2);
    await untouched();
  });
});

describe('an opening of a resume that comes late', () => {
  /** The first attempt hangs behind its handshake, the next one succeeds; then the opening of the first one arrives. */
  async function late(between: (stage: Stage) => Promise<void>): Promise<Stage> {
    const stage = await Stage.connected({ latencyMs: 5 }, { timeoutMs: 300 });
    const cutMs = stage.world.clock.now();
    let slow = false;
    stage.world.network.tap((from, _to, message, wire) => {
      // The answer of the first attempt has come: from here on Alice's messages take two seconds, for a moment.
      if (wire.id !== 2 || from.host === ALICE || message.length !== 1344 || slow) return;
      slow = true;
      stage.world.clock.after(4, () => stage.world.network.setPath(ALICE, BOB.host, { latencyMs: 2000 }));
      stage.world.clock.after(8, () => stage.world.network.setPath(ALICE, BOB.host, { latencyMs: 5 }));
    });
    stage.wire.cut();
    await stage.advance(1000);
    expect([stage.attempts.length, stage.alice.events.at(-1), stage.world.clock.now() - cutMs < 2000]).toEqual([3, 'resumed', true]);
    await between(stage);
    await stage.advance(5000);
    return stage;
  }

  test.each([
    ['nothing was said since', async () => {}],
    [
      'more was received and acknowledged since than it says',
      async (stage: Stage) => {
        stage.other().send({ type: 'relay-close', port: 1n, reason: 'closed' });
        await stage.advance(200);
      },
    ],
  ] as const)('where %s: is refused, and the live session is untouched', async (_what, between) => {
    const stage = await late(between);
    const notes = stage.alice.notes.length;
    stage.session().send({ type: 'relay-close', port: 7n, reason: 'closed' });
    stage.other().send({ type: 'relay-close', port: 7n, reason: 'closed' });
    await stage.advance(1000);
    expect([stage.session().sending, stage.bob.notes, stage.alice.notes.slice(notes)]).toEqual([true, [7], [7]]);
    // It did not even cost a link.
    expect([stage.wires.length, stage.alice.events, stage.bob.events]).toEqual([
      3,
      ['suspended session.link-lost', 'resumed'],
      ['suspended session.link-lost', 'resumed'],
    ]);
  });
});
