import { randomFillSync } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { HANDSHAKE_OPENING_LENGTH, type PatternName, type Selector, type SuiteName } from '@matryoshka/wire';
import { networkKeyPsk } from './handshake.ts';
import { type Identity, createIdentity } from './identity.ts';
import { InitiatorHandshake, type InitiatorOptions } from './initiator-handshake.ts';
import { HandshakeState } from './noise/handshake-state.ts';
import { portableProvider as provider } from './portable/provider.ts';
import type { Random } from './random.ts';
import { ResponderHandshake, type ResponderOptions } from './responder-handshake.ts';

const random: Random = { fill: (bytes) => void randomFillSync(bytes) };
const psk = networkKeyPsk(provider);
const hour = 480_000;
const alice = createIdentity(provider, random);
const bob = createIdentity(provider, random);
const eve = createIdentity(provider, random);
const bobStatic = provider.dhKeyPair(new Uint8Array(32).fill(1));

const selectors: readonly Selector[] = (['XX', 'NK'] as const).flatMap((pattern) =>
  (['chacha20poly1305', 'aes256gcm'] as const).map((suite) => ({ pattern, suite })),
);

function initiatorOf(pattern: PatternName, options: Partial<InitiatorOptions> = {}): InitiatorHandshake {
  const suite: SuiteName = 'chacha20poly1305';
  return new InitiatorHandshake({
    provider,
    random,
    psk,
    hour,
    suite,
    pattern,
    remoteStatic: pattern === 'NK' ? bobStatic.publicKey : undefined,
    ...options,
  });
}

function responderOf(options: Partial<ResponderOptions> = {}): ResponderHandshake {
  return new ResponderHandshake({ provider, random, psk, hour, identity: bob, staticKey: bobStatic, ...options });
}

/** The third message alone. */
function openingOf(initiator: InitiatorHandshake): Uint8Array {
  const out = new Uint8Array(HANDSHAKE_OPENING_LENGTH);
  return out.subarray(0, initiator.opening(out));
}

interface Proof {
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** An identity that keeps what it signs. */
function recording(identity: Identity, proofs: Proof[]): Identity {
  const value = (message: Uint8Array): Uint8Array => {
    const signature = identity.sign(message);
    proofs.push({ message, signature });
    return signature;
  };
  return Object.create(identity, { sign: { value } }) as Identity;
}

/** Someone who has nothing of an identity but its key and an old proof. */
function replaying({ peerId, publicKey }: Identity, proof: Proof | undefined): Identity {
  if (proof === undefined) throw new Error('nothing was recorded');
  return { peerId, publicKey, sign: () => proof.signature } as unknown as Identity;
}

const code = (value: string): unknown => expect.objectContaining({ code: value });
// The same text whatever failed: nothing is told.
const FAILED = expect.objectContaining({ code: 'session.handshake-failed', message: 'the handshake failed' }) as unknown;

/** Every byte near a field border, and some between. */
function positions(length: number, borders: readonly number[]): number[] {
  const all = [
    ...borders.flatMap((border) => [border - 1, border]),
    ...Array.from({ length: 12 }, (_, index) => Math.floor((index * length) / 12)),
  ];
  return [...new Set(all)].filter((at) => at >= 0 && at < length);
}

function flipped(message: Uint8Array, at: number): Uint8Array {
  const copy = message.slice();
  copy[at] = (copy[at] as number) ^ 0x01;
  return copy;
}

describe.each(selectors)('$pattern with $suite', ({ pattern, suite }) => {
  test('makes keys of constant sizes for both ends', () => {
    const initiator = initiatorOf(pattern, { suite, demand: bob.peerId });
    const responder = responderOf();
    const request = initiator.request();
    expect(request).toHaveLength(1280);
    expect([...request.subarray(0, 3)]).toEqual([1, suite === 'chacha20poly1305' ? 1 : 2, pattern === 'XX' ? 1 : 2]);
    responder.request(request);
    expect(responder.selector).toEqual({ pattern, suite });
    const answer = responder.answer();
    expect(answer).toHaveLength(1344);
    expect(initiator.answer(answer)).toMatchObject({ authenticated: true, peerId: bob.peerId, key: bob.publicKey });
    const opening = openingOf(initiator);
    expect(opening).toHaveLength(pattern === 'XX' ? 161 : 0);
    const record = Uint8Array.of(1, 2, 3);
    const message = new Uint8Array([...opening, ...record]);
    expect(responder.opening(message)).toEqual({ identity: { authenticated: false }, length: opening.length });

    const [ours, theirs] = [initiator.keys, responder.keys];
    expect([ours.role, theirs.role, ours.suite, theirs.suite]).toEqual(['initiator', 'responder', suite, suite]);
    expect(ours.send).toEqual(theirs.receive);
    expect(ours.receive).toEqual(theirs.send);
    for (const name of ['handshakeHash', 'sessionId', 'resumeSecret'] as const) expect(ours[name]).toEqual(theirs[name]);
    expect([ours.send, ours.receive, ours.handshakeHash, ours.resumeSecret, ours.sessionId].map((bytes) => bytes.length)).toEqual([
      32, 32, 32, 32, 16,
    ]);
    expect([ours.maskSend, ours.maskReceive]).toEqual([theirs.maskReceive, theirs.maskSend]);
    expect([ours.maskSend.length, ours.maskReceive.length]).toEqual([32, 32]);
    const { send, receive, handshakeHash, resumeSecret, maskSend, maskReceive } = ours;
    const secrets = [send, receive, handshakeHash, resumeSecret, maskSend, maskReceive].map((bytes) => bytes.toHex());
    expect(new Set(secrets).size).toBe(6);
  });

  test('any changed byte of the request fails', () => {
    const request = initiatorOf(pattern, { suite }).request();
    for (const at of positions(request.length, [3, 35, 1235, 1264])) {
      const responder = responderOf();
      expect(() => responder.request(flipped(request, at)), `byte ${at}`).toThrow(at < 3 ? expect.anything() : FAILED);
      expect(() => responder.answer()).toThrow(TypeError);
    }
    for (const changed of [request.subarray(0, -1), new Uint8Array([...request, 0]), request.subarray(0, 2), new Uint8Array(0)]) {
      expect(() => responderOf().request(changed)).toThrow(FAILED);
    }
  });

  test('any changed byte of the answer fails', () => {
    for (const at of positions(1344, [32, 1120, 1136, 1168, 1184, 1328])) {
      const [initiator, responder] = [initiatorOf(pattern, { suite }), responderOf()];
      responder.request(initiator.request());
      expect(() => initiator.answer(flipped(responder.answer(), at)), `byte ${at}`).toThrow(FAILED);
      expect(() => openingOf(initiator)).toThrow(TypeError);
      expect(() => initiator.keys).toThrow(TypeError);
    }
    for (const length of [0, 1343, 1345]) {
      const [initiator, responder] = [initiatorOf(pattern, { suite }), responderOf()];
      responder.request(initiator.request());
      const answer = new Uint8Array(length);
      answer.set(responder.answer().subarray(0, length));
      expect(() => initiator.answer(answer)).toThrow(FAILED);
    }
  });
});

describe('an opening in XX', () => {
  test('any changed byte, or a missing one, fails', () => {
    for (const at of positions(161, [32, 48, 49, 81, 145])) {
      const [initiator, responder] = [initiatorOf('XX', { identity: alice }), responderOf()];
      responder.request(initiator.request());
      initiator.answer(responder.answer());
      const opening = openingOf(initiator);
      const changed = at % 2 === 0 ? flipped(opening, at) : opening.subarray(0, at);
      expect(() => responder.opening(changed), `byte ${at}`).toThrow(FAILED);
      expect(() => responder.keys).toThrow(TypeError);
    }
  });

  test('must fit', () => {
    const [initiator, responder] = [initiatorOf('XX'), responderOf()];
    responder.request(initiator.request());
    initiator.answer(responder.answer());
    expect(() => initiator.opening(new Uint8Array(160))).toThrow(RangeError);
    expect(initiator.opening(new Uint8Array(161))).toBe(161);
  });
});

describe('identities', () => {
  test('an authenticated initiator is known to the responder, and has the sizes of an anonymous one', () => {
    const sizes = [alice, undefined].map((identity) => {
      const [initiator, responder] = [initiatorOf('XX', { identity }), responderOf({ staticKey: undefined })];
      const request = initiator.request();
      responder.request(request);
      const answer = responder.answer();
      initiator.answer(answer);
      const opening = openingOf(initiator);
      const { identity: remote } = responder.opening(opening);
      if (identity === undefined) expect(remote).toEqual({ authenticated: false });
      else expect(remote).toMatchObject({ authenticated: true, peerId: alice.peerId, key: alice.publicKey });
      return [request.length, answer.length, opening.length];
    });
    expect(sizes[0]).toEqual(sizes[1]);
  });

  test('another peer than the demanded one is refused by name', () => {
    const [initiator, responder] = [initiatorOf('XX', { demand: eve.peerId }), responderOf()];
    responder.request(initiator.request());
    const answer = responder.answer();
    expect(() => initiator.answer(answer)).toThrow(
      expect.objectContaining({ code: 'session.wrong-peer', message: `${bob.peerId} answered where ${eve.peerId} was demanded` }),
    );
    expect(() => openingOf(initiator)).toThrow(TypeError);
  });

  test("someone in the middle cannot pass on the responder's proof of another handshake", () => {
    // Eve makes one handshake with Bob and shows his proof to Alice in another.
    const proofs: Proof[] = [];
    const [first, recorded] = [initiatorOf('XX'), responderOf({ identity: recording(bob, proofs) })];
    recorded.request(first.request());
    expect(first.answer(recorded.answer()).peerId).toBe(bob.peerId);
    expect(proofs).toHaveLength(1);

    const [victim, impostor] = [initiatorOf('XX', { demand: bob.peerId }), responderOf({ identity: replaying(bob, proofs[0]) })];
    impostor.request(victim.request());
    const answer = impostor.answer();
    expect(() => victim.answer(answer)).toThrow(FAILED);
  });

  test("the initiator's proof of another handshake is refused, and so is the responder's own sent back", () => {
    const proofs: Proof[] = [];
    const [initiator, responder] = [
      initiatorOf('XX', { identity: recording(alice, proofs) }),
      responderOf({ identity: recording(bob, proofs) }),
    ];
    responder.request(initiator.request());
    initiator.answer(responder.answer());
    responder.opening(openingOf(initiator));
    // docs/protocol.md §3.3: label ‖ role ‖ protocol name ‖ hash
    const prefix = (role: number): string =>
      `matryoshka identity 1${String.fromCharCode(role)}Noise_XXhfs+psk0_25519+MLKEM768_ChaChaPoly_SHA256`;
    for (const [index, role] of [2, 1].entries()) {
      const text = Buffer.from(proofs[index]?.message as Uint8Array).toString('latin1');
      expect(text.slice(0, -32)).toBe(prefix(role));
    }

    for (const [identity, recorded] of [
      [alice, proofs[1]],
      [bob, proofs[0]],
    ] as const) {
      const [thief, victim] = [initiatorOf('XX', { identity: replaying(identity, recorded) }), responderOf()];
      victim.request(thief.request());
      thief.answer(victim.answer());
      const opening = openingOf(thief);
      expect(() => victim.opening(opening)).toThrow(FAILED);
    }
  });

  test('in NK, who does not have the static key cannot answer', () => {
    const initiator = initiatorOf('NK');
    const other = responderOf({ staticKey: provider.dhKeyPair(new Uint8Array(32).fill(2)) });
    expect(() => other.request(initiator.request())).toThrow(FAILED);
  });

  test('one-time static keys differ from handshake to handshake, and one may be given instead', () => {
    const staticKey = provider.dhKeyPair(new Uint8Array(32).fill(3));
    const [initiator, responder] = [initiatorOf('XX', { staticKey }), responderOf()];
    responder.request(initiator.request());
    initiator.answer(responder.answer());
    expect(responder.opening(openingOf(initiator)).identity.authenticated).toBe(false);
  });
});

describe('a responder whose static key is a secret', () => {
  test.each([
    [undefined, true],
    [true, false],
  ])('secretStatic %s: XX shows it: %s', (secretStatic, shows) => {
    const seen: Uint8Array[] = [];
    const initiator = initiatorOf('XX');
    const responder = responderOf({ secretStatic });
    responder.request(initiator.request());
    const read = vi.spyOn(HandshakeState.prototype, 'read');
    initiator.answer(responder.answer());
    for (const { remoteStatic } of read.mock.contexts as HandshakeState[]) if (remoteStatic !== undefined) seen.push(remoteStatic);
    read.mockRestore();
    expect(seen).toHaveLength(1);
    expect(Buffer.compare(seen[0] as Uint8Array, bobStatic.publicKey) === 0).toBe(shows);
  });

  test('is still called by it', () => {
    const [initiator, responder] = [initiatorOf('NK'), responderOf({ secretStatic: true })];
    responder.request(initiator.request());
    initiator.answer(responder.answer());
    expect(responder.opening(openingOf(initiator)).identity.authenticated).toBe(false);
  });
});

describe('what is refused', () => {
  test('another network key', () => {
    const initiator = initiatorOf('XX', { psk: networkKeyPsk(provider, Uint8Array.of(1)) });
    expect(() => responderOf().request(initiator.request())).toThrow(FAILED);
  });

  test('a version, suite or pattern that is not known or not allowed', () => {
    const request = initiatorOf('XX').request();
    for (const [at, value] of [
      [0, 2],
      [1, 0],
      [1, 3],
      [2, 0],
      [2, 9],
    ] as const) {
      const changed = request.slice();
      changed[at] = value;
      expect(() => responderOf().request(changed)).toThrow(code('session.incompatible'));
    }
    const other = new Uint8Array(2000);
    other[0] = 2;
    expect(() => responderOf().request(other)).toThrow(code('session.incompatible'));
    expect(() => responderOf({ allowedSuites: ['aes256gcm'] }).request(request)).toThrow(code('session.incompatible'));
    responderOf({ allowedSuites: ['chacha20poly1305'] }).request(request);
    expect(() => responderOf({ staticKey: undefined }).request(initiatorOf('NK').request())).toThrow(code('session.incompatible'));
  });

  test('a suite or pattern that was changed on the way', () => {
    const request = initiatorOf('XX').request();
    for (const [at, value] of [
      [1, 2],
      [2, 2],
    ] as const) {
      const changed = request.slice();
      changed[at] = value;
      expect(() => responderOf().request(changed)).toThrow(FAILED);
    }
  });

  test.each([-2, -1, 0, 1, 2])('an hour %i from ours only when it is more than one', (difference) => {
    const request = initiatorOf('XX', { hour: hour + difference }).request();
    const responder = responderOf();
    if (Math.abs(difference) <= 1) responder.request(request);
    else expect(() => responder.request(request)).toThrow(code('session.clock-skew'));
  });

  test('options that do not fit together', () => {
    expect(() => initiatorOf('NK', { identity: alice })).toThrow(TypeError);
    expect(() => initiatorOf('NK', { staticKey: bobStatic })).toThrow(TypeError);
    expect(() => initiatorOf('NK', { remoteStatic: undefined })).toThrow(TypeError);
    expect(() => initiatorOf('XX', { remoteStatic: bobStatic.publicKey })).toThrow(TypeError);
    expect(() => initiatorOf('XX', { psk: new Uint8Array(31) })).toThrow(RangeError);
    for (const wrong of [-1, 1.5, Number.NaN, 2 ** 32]) {
      expect(() => initiatorOf('XX', { hour: wrong })).toThrow(RangeError);
      expect(() => responderOf({ hour: wrong })).toThrow(RangeError);
    }
  });

  test('any other order of steps, and any step after giving up', () => {
    const [initiator, responder] = [initiatorOf('XX'), responderOf()];
    expect(() => initiator.answer(new Uint8Array(1344))).toThrow(TypeError);
    expect(() => openingOf(initiator)).toThrow(TypeError);
    expect(() => responder.answer()).toThrow(TypeError);
    expect(() => responder.opening(new Uint8Array(161))).toThrow(TypeError);
    const request = initiator.request();
    expect(() => initiator.request()).toThrow(TypeError);
    responder.request(request);
    expect(() => responder.request(request)).toThrow(TypeError);
    responder.abandon();
    expect(() => responder.answer()).toThrow(TypeError);
    expect(() => responder.keys).toThrow(TypeError);
  });

  test('garbage costs no key', () => {
    let asked = 0;
    const counting: Random = {
      fill(bytes) {
        asked += 1;
        random.fill(bytes);
      },
    };
    const garbage = initiatorOf('XX').request();
    garbage.fill(0, 100, 200);
    expect(() => responderOf({ random: counting, staticKey: undefined }).request(garbage)).toThrow(FAILED);
    expect(asked).toBe(0);
  });
});

describe('the pre-shared key of a network', () => {
  const digest = (text: string): string => Buffer.from(provider.hash('SHA256').digest(Buffer.from(text, 'latin1'))).toString('hex');

  test('is a hash of the network key, or a public constant', () => {
    expect(networkKeyPsk(provider).toHex()).toBe(digest('matryoshka network key 1\0'));
    expect(networkKeyPsk(provider, Uint8Array.of(65)).toHex()).toBe(digest('matryoshka network key 1\u0001A'));
    expect(() => networkKeyPsk(provider, new Uint8Array(0))).toThrow(RangeError);
  });
});
