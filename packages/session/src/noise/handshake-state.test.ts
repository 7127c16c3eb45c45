import { randomFillSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { DhKeyPair } from '../crypto.ts';
import { portableProvider } from '../portable/provider.ts';
import type { Random } from '../random.ts';
import { type HandshakeOptions, HandshakeState } from './handshake-state.ts';
import { messageOverheads } from './message-overhead.ts';
import { parsePattern } from './pattern-text.ts';
import { PATTERN_NAMES, namedPattern } from './pattern-catalog.ts';
import { type NoiseProtocol, parseProtocolName } from './protocol-name.ts';

const provider = portableProvider;
const random: Random = { fill: (bytes) => void randomFillSync(bytes) };
const FAILED = expect.objectContaining({ code: 'session.handshake-failed', message: 'the handshake failed' });
const keyPair = (byte: number): DhKeyPair => provider.dhKeyPair(new Uint8Array(32).fill(byte));

// Every handshake of these tests gets all the keys that its pattern takes.
function pair(
  protocol: NoiseProtocol,
  change: Partial<HandshakeOptions> = {},
): { readonly initiator: HandshakeState; readonly responder: HandshakeState } {
  const { preMessages, messages } = protocol.pattern;
  const psks = messages
    .flat()
    .filter((token) => token === 'psk')
    .map((_, index) => new Uint8Array(32).fill(index + 100));
  const [is, rs] = [keyPair(1), keyPair(2)];
  const shared = { provider, random, protocol, psks };
  return {
    initiator: new HandshakeState({
      ...shared,
      role: 'initiator',
      staticKey: is,
      remoteStatic: preMessages.includes('responder') ? rs.publicKey : undefined,
    }),
    responder: new HandshakeState({
      ...shared,
      role: 'responder',
      staticKey: rs,
      remoteStatic: preMessages.includes('initiator') ? is.publicKey : undefined,
      ...change,
    }),
  };
}

function write(sender: HandshakeState, payload: Uint8Array | ((hash: Uint8Array) => Uint8Array)): Uint8Array {
  const out = new Uint8Array(65_535);
  return out.slice(0, sender.write(payload, out));
}

const HFS = parseProtocolName('Noise_XXhfs+psk0_25519+MLKEM768_ChaChaPoly_SHA256');
const PLAIN = parseProtocolName('Noise_XX_25519_AESGCM_BLAKE2s');

describe('both sides', () => {
  test.each(
    PATTERN_NAMES.flatMap((name) => (namedPattern(name).messages.length === 1 ? [`${name}psk0+psk1`] : [name, `${name}hfs+psk0+psk2`])),
  )('%s: overhead, payload, hashes and keys agree', (name) => {
    const kem = name.includes('hfs') ? '+MLKEM768' : '';
    const protocol = parseProtocolName(`Noise_${name}_25519${kem}_ChaChaPoly_SHA512`);
    const { initiator, responder } = pair(protocol);
    for (let index = 0; index < protocol.pattern.messages.length; index += 1) {
      const [sender, receiver] = index % 2 === 0 ? [initiator, responder] : [responder, initiator];
      expect([sender.turn, receiver.turn]).toEqual(['write', 'read']);
      const { overhead } = sender;
      expect(overhead).toBe(messageOverheads(protocol.pattern)[index]);
      let signed: Uint8Array | undefined;
      const payload = new Uint8Array(index * 5).fill(index);
      const message = write(sender, (hash) => {
        signed = hash;
        return payload;
      });
      expect(message).toHaveLength(overhead + payload.length);
      expect(receiver.read(message)).toEqual({ payload, hash: signed });
    }
    expect([initiator.turn, responder.turn, initiator.overhead]).toEqual(['over', 'over', 0]);
    const [ours, theirs] = [initiator.done, responder.done];
    expect(ours?.send).toEqual(theirs?.receive);
    expect(ours?.receive).toEqual(theirs?.send);
    expect(ours?.send).not.toEqual(ours?.receive);
    expect(ours?.handshakeHash).toEqual(theirs?.handshakeHash);
    const label = Uint8Array.of(1);
    expect(ours?.exportSecret(label)).toEqual(theirs?.exportSecret(label));
    expect(ours?.exportSecret(label)).not.toEqual(ours?.exportSecret(Uint8Array.of(2)));
  });

  test('learn a static key that is sent', () => {
    const { initiator, responder } = pair(PLAIN);
    responder.read(write(initiator, new Uint8Array(0)));
    initiator.read(write(responder, new Uint8Array(0)));
    expect(initiator.remoteStatic).toEqual(keyPair(2).publicKey);
    responder.read(write(initiator, new Uint8Array(0)));
    expect(responder.remoteStatic).toEqual(keyPair(1).publicKey);
  });

  test('a pattern of token text works like a named one', () => {
    const own = parsePattern('OWN', '-> e, e1 | <- e, ee, ekem1 | -> s, se', ['psk0']);
    const { initiator, responder } = pair({
      name: 'Noise_OWNpsk0_25519+MLKEM768_AESGCM_SHA256',
      pattern: own,
      suite: 'aes256gcm',
      hash: 'SHA256',
    });
    responder.read(write(initiator, new Uint8Array(0)));
    initiator.read(write(responder, new Uint8Array(0)));
    responder.read(write(initiator, new Uint8Array(0)));
    expect(initiator.done?.handshakeHash).toEqual(responder.done?.handshakeHash);
  });
});

describe("the caller's mistakes", () => {
  const options = { provider, random, protocol: PLAIN, role: 'initiator', staticKey: keyPair(1) } as const;

  test('a missing static key, a remote key that is missing or not taken, psks of other number or length', () => {
    const NK = parseProtocolName('Noise_NK_25519_AESGCM_SHA256');
    const KKpsk2 = parseProtocolName('Noise_KKpsk2_25519_AESGCM_SHA256');
    const remoteStatic = new Uint8Array(32);
    expect(() => new HandshakeState({ ...options, staticKey: undefined })).toThrow(TypeError);
    expect(() => new HandshakeState({ ...options, remoteStatic })).toThrow(TypeError);
    expect(() => new HandshakeState({ ...options, protocol: NK })).toThrow(TypeError);
    expect(() => new HandshakeState({ ...options, protocol: NK, role: 'responder', staticKey: undefined })).toThrow(TypeError);
    expect(() => new HandshakeState({ ...options, protocol: NK, remoteStatic: new Uint8Array(31) })).toThrow(RangeError);
    expect(() => new HandshakeState({ ...options, psks: [new Uint8Array(32)] })).toThrow(TypeError);
    expect(() => new HandshakeState({ ...options, protocol: KKpsk2, remoteStatic })).toThrow(TypeError);
    expect(() => new HandshakeState({ ...options, protocol: KKpsk2, remoteStatic, psks: [new Uint8Array(31)] })).toThrow(RangeError);
  });

  test('what is no key, no bytes or no role', () => {
    const NKpsk0 = parseProtocolName('Noise_NKpsk0_25519_AESGCM_SHA256');
    const good = { ...options, protocol: NKpsk0, remoteStatic: new Uint8Array(32), psks: [new Uint8Array(32)] };
    const text = 'x'.repeat(32) as unknown as Uint8Array;
    const wrongs: [Partial<HandshakeOptions>, string][] = [
      [{ role: 'server' as 'initiator' }, 'a role is'],
      [{ prologue: text }, 'a prologue is a Uint8Array'],
      [{ prologue: [1, 2, 3] as unknown as Uint8Array }, 'a prologue is a Uint8Array'],
      [{ staticKey: new Uint8Array(32) as unknown as DhKeyPair }, 'a static key is a key pair'],
      [{ remoteStatic: text }, 'a static public key is a Uint8Array'],
      [{ remoteStatic: new Uint16Array(32) as unknown as Uint8Array }, 'a static public key is a Uint8Array'],
      [{ psks: [text] }, 'a pre-shared key is a Uint8Array'],
      [{ psks: new Uint8Array(1) as unknown as Uint8Array[] }, 'pre-shared keys come in an array'],
    ];
    for (const [wrong, message] of wrongs) {
      expect(() => new HandshakeState({ ...good, ...wrong })).toThrow(TypeError);
      expect(() => new HandshakeState({ ...good, ...wrong })).toThrow(message);
    }
    const initiator = new HandshakeState(good);
    expect(() => initiator.write(text, new Uint8Array(200))).toThrow(TypeError);
    expect(() => initiator.write(new Uint8Array(0), new ArrayBuffer(200) as unknown as Uint8Array)).toThrow(TypeError);
    expect(write(initiator, new Uint8Array(0))).toHaveLength(48);
    expect(() => initiator.read(text)).toThrow(TypeError);
    expect(initiator.turn).toBe('read');
  });

  test('a pattern made by hand that is not valid (Noise §7.3)', () => {
    const pattern = { name: 'BAD', preMessages: [], messages: [['e', 'es']] } as const;
    expect(() => new HandshakeState({ ...options, protocol: { ...PLAIN, pattern } })).toThrow(/rule 1/);
    const unknown = { name: 'BAD', preMessages: [], messages: [['e', 'x' as 'e']] } as const;
    expect(() => new HandshakeState({ ...options, protocol: { ...PLAIN, pattern: unknown } })).toThrow(/unknown token "x"/);
  });

  test('the wrong turn changes nothing', () => {
    const { initiator, responder } = pair(PLAIN);
    expect(() => initiator.read(new Uint8Array(100))).toThrow(TypeError);
    expect(() => write(responder, new Uint8Array(0))).toThrow(TypeError);
    responder.read(write(initiator, new Uint8Array(0)));
    expect(() => write(initiator, new Uint8Array(0))).toThrow(TypeError);
    initiator.read(write(responder, new Uint8Array(0)));
  });

  test('output that does not fit, or a message above 65,535 bytes, changes nothing', () => {
    const { initiator, responder } = pair(PLAIN);
    expect(() => initiator.write(new Uint8Array(8), new Uint8Array(39))).toThrow(RangeError);
    expect(() => initiator.write(new Uint8Array(65_504), new Uint8Array(70_000))).toThrow(RangeError);
    const largest = new Uint8Array(65_503).fill(3);
    expect(responder.read(write(initiator, largest)).payload).toEqual(largest);
  });

  test('a payload function that returns too much ends the handshake', () => {
    const { initiator } = pair(PLAIN);
    expect(() => initiator.write(() => new Uint8Array(9), new Uint8Array(40))).toThrow(RangeError);
    expect(initiator.turn).toBe('over');
  });
});

describe("the other side's mistakes", () => {
  test.each([
    ['too short', (message: Uint8Array) => message.subarray(0, -1)],
    ['empty', () => new Uint8Array(0)],
    ['too long', () => new Uint8Array(65_536)],
    ['changed', (message: Uint8Array) => message.map((byte, index) => (index === 5 ? byte ^ 1 : byte))],
  ])('a message that is %s fails without detail, and for good', (_what, change) => {
    const { initiator, responder } = pair(HFS);
    expect(() => responder.read(change(write(initiator, new Uint8Array(0))))).toThrow(FAILED);
    expect(responder.turn).toBe('over');
    expect(() => responder.read(new Uint8Array(2000))).toThrow(TypeError);
    expect(responder.done).toBeUndefined();
  });

  test('another prologue, psk or protocol name fails', () => {
    const others: Partial<HandshakeOptions>[] = [
      { prologue: Uint8Array.of(1) },
      { psks: [new Uint8Array(32)] },
      { protocol: { ...HFS, name: 'Noise_XXhfs+psk0_25519+MLKEM768_ChaChaPoly_SHA512' } },
    ];
    for (const change of others) {
      const { initiator, responder } = pair(HFS, change);
      expect(() => responder.read(write(initiator, new Uint8Array(0)))).toThrow(FAILED);
    }
  });

  test('an ML-KEM key that fails the modulus check fails the answer, without detail', () => {
    const { initiator, responder } = pair(parseProtocolName('Noise_NNhfs_25519+MLKEM768_ChaChaPoly_SHA256'));
    const message = write(initiator, new Uint8Array(0));
    message.fill(0xff, 32, 35);
    responder.read(message);
    expect(() => write(responder, new Uint8Array(0))).toThrow(FAILED);
    expect(responder.turn).toBe('over');
  });
});

describe('secrets', () => {
  function wiped(): { readonly pair: DhKeyPair; readonly count: () => number } {
    const inner = keyPair(9);
    let wipes = 0;
    return { pair: { publicKey: inner.publicKey, shared: (key) => inner.shared(key), wipe: () => void (wipes += 1) }, count: () => wipes };
  }

  test('ephemeral keys are wiped at the end and after a failure; the static key is not', () => {
    const NN = parseProtocolName('Noise_NN_25519_ChaChaPoly_SHA256');
    const [good, bad, own] = [wiped(), wiped(), wiped()];
    const initiator = new HandshakeState({ provider, random, protocol: NN, role: 'initiator', ephemeral: good.pair });
    const responder = new HandshakeState({ provider, random, protocol: NN, role: 'responder', staticKey: own.pair });
    responder.read(write(initiator, new Uint8Array(0)));
    expect(good.count()).toBe(0);
    initiator.read(write(responder, new Uint8Array(0)));
    expect(good.count()).toBe(1);

    const failing = new HandshakeState({ provider, random, protocol: NN, role: 'initiator', ephemeral: bad.pair });
    write(failing, new Uint8Array(0));
    expect(() => failing.read(new Uint8Array(48))).toThrow(FAILED);
    expect(bad.count()).toBeGreaterThan(0);
    expect(own.count()).toBe(0);
  });

  test('after a wipe no secret is exported, and the transport keys remain', () => {
    const { initiator, responder } = pair(parseProtocolName('Noise_NN_25519_ChaChaPoly_SHA256'));
    responder.read(write(initiator, new Uint8Array(0)));
    initiator.read(write(responder, new Uint8Array(0)));
    expect(() => initiator.done?.exportSecret(new Uint8Array(0))).toThrow(RangeError);
    initiator.wipe();
    expect(() => initiator.done?.exportSecret(Uint8Array.of(1))).toThrow(TypeError);
    expect(initiator.done?.send).toEqual(responder.done?.receive);
  });
});
