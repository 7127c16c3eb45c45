import { describe, expect, test } from 'vitest';
import { portableProvider as provider } from '../portable/provider.ts';
import { type HandshakeOptions, HandshakeState } from './handshake-state.ts';
import type { Role } from './pattern.ts';
import { parseProtocolName } from './protocol-name.ts';

const MAX = 65_535;
const NOTHING = new Uint8Array(0);
const FAILED = expect.objectContaining({ code: 'session.handshake-failed' }) as Error;
const random = { fill: (bytes: Uint8Array): void => void bytes.fill(7) };

// Statics are the same on both sides: lengths are what this is about.
const staticKey = provider.dhKeyPair(new Uint8Array(32).fill(1));

function pair(name: string, options: (role: Role) => Partial<HandshakeOptions> = () => ({})): readonly [HandshakeState, HandshakeState] {
  const protocol = parseProtocolName(name);
  const psks = protocol.pattern.messages
    .flat()
    .filter((token) => token === 'psk')
    .map((_, index) => new Uint8Array(32).fill(index));
  const side = (role: Role, remote: Role): HandshakeState =>
    new HandshakeState({
      provider,
      random,
      protocol,
      role,
      psks,
      staticKey,
      remoteStatic: protocol.pattern.preMessages.includes(remote) ? staticKey.publicKey : undefined,
      ...options(role),
    });
  return [side('initiator', 'responder'), side('responder', 'initiator')];
}

/** Every message of a handshake with payloads that `payloadOf` makes for its overhead. */
function exchange([initiator, responder]: readonly [HandshakeState, HandshakeState], payloadOf: (overhead: number) => Uint8Array): void {
  const out = new Uint8Array(MAX + 100);
  while (initiator.turn !== 'over') {
    const [sender, receiver] = initiator.turn === 'write' ? [initiator, responder] : [responder, initiator];
    const payload = payloadOf(sender.overhead);
    expect(() => sender.write(new Uint8Array(MAX - sender.overhead + 1), out)).toThrow(RangeError);
    const length = sender.write(payload, out);
    expect(receiver.read(out.subarray(0, length)).payload).toEqual(payload);
  }
  expect(responder.turn).toBe('over');
  expect(initiator.done?.handshakeHash).toEqual(responder.done?.handshakeHash);
}

const PROTOCOLS = [
  'Noise_N_25519_ChaChaPoly_SHA256',
  'Noise_Kpsk0+psk1_25519_AESGCM_SHA512',
  'Noise_NN_25519_AESGCM_BLAKE2s',
  'Noise_XXpsk0+psk1+psk2+psk3_25519_ChaChaPoly_BLAKE2b',
  'Noise_X1K1psk0+psk4_25519_AESGCM_SHA256',
  'Noise_IXhfs+psk2_25519+MLKEM768_ChaChaPoly_SHA256',
];

describe.each(PROTOCOLS)('%s', (name) => {
  test('takes empty payloads, and payloads that fill a message of 65,535 bytes; one byte more is refused', () => {
    exchange(pair(name), () => NOTHING);
    exchange(pair(name), (overhead) => new Uint8Array(MAX - overhead).fill(5));
  });

  test('a message is read up to 65,535 bytes', () => {
    const [initiator, responder] = pair(name);
    const out = new Uint8Array(MAX + 1);
    initiator.write(new Uint8Array(MAX - initiator.overhead), out);
    expect(() => responder.read(out)).toThrow(FAILED);
    expect(responder.turn).toBe('over');
  });

  test('takes a prologue of any length: none is an empty one, another one fails', () => {
    const long = new Uint8Array(1_000_003).fill(9);
    exchange(
      pair(name, (role) => ({ prologue: role === 'initiator' ? NOTHING : undefined })),
      () => NOTHING,
    );
    exchange(
      pair(name, () => ({ prologue: long })),
      () => NOTHING,
    );
    const other = pair(name, (role) => ({ prologue: role === 'initiator' ? long : long.subarray(1) }));
    expect(() => exchange(other, () => NOTHING)).toThrow(FAILED);
  });
});

describe('transport messages', () => {
  function transports(name: string): readonly ReturnType<NonNullable<HandshakeState['done']>['transport']>[] {
    const sides = pair(name);
    exchange(sides, () => NOTHING);
    return sides.map((side) => (side.done as NonNullable<HandshakeState['done']>).transport());
  }

  test('have at most 65,535 bytes', () => {
    const [ours, theirs] = transports('Noise_NN_25519_AESGCM_SHA256');
    const out = new Uint8Array(MAX + 1);
    expect(() => ours?.send?.encryptWithAd(NOTHING, new Uint8Array(MAX - 15), out)).toThrow(RangeError);
    expect(ours?.send?.encryptWithAd(NOTHING, new Uint8Array(MAX - 16), out)).toBe(MAX);
    expect(theirs?.receive?.decryptWithAd(NOTHING, out, new Uint8Array(MAX))).toBe(false);
    expect(theirs?.receive?.decryptWithAd(NOTHING, out.subarray(0, MAX), new Uint8Array(MAX))).toBe(true);
  });

  test('go both ways, and on after a rekey of each side', () => {
    const [ours, theirs] = transports('Noise_XXpsk0+psk3_25519_ChaChaPoly_SHA512');
    for (const [send, receive] of [
      [ours?.send, theirs?.receive],
      [theirs?.send, ours?.receive],
    ]) {
      for (const rekeyed of [false, true]) {
        const [out, opened] = [new Uint8Array(19), new Uint8Array(3)];
        if (rekeyed) send?.rekey();
        send?.encryptWithAd(NOTHING, Uint8Array.of(1, 2, 3), out);
        if (rekeyed) expect(receive?.decryptWithAd(NOTHING, out, opened)).toBe(false);
        if (rekeyed) receive?.rekey();
        expect(receive?.decryptWithAd(NOTHING, out, opened)).toBe(true);
        expect(opened).toEqual(Uint8Array.of(1, 2, 3));
      }
    }
  });

  test('after a one-way handshake only the initiator sends (Noise §7.4)', () => {
    const [ours, theirs] = transports('Noise_Xpsk1_25519_AESGCM_SHA256');
    expect([ours?.receive, theirs?.send]).toEqual([undefined, undefined]);
    const out = new Uint8Array(17);
    ours?.send?.encryptWithAd(NOTHING, Uint8Array.of(4), out);
    expect(theirs?.receive?.decryptWithAd(NOTHING, out, new Uint8Array(1))).toBe(true);
  });
});
