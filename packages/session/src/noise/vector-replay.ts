import type { CryptoProvider, DhKeyPair } from '../crypto.ts';
import type { Random } from '../random.ts';
import type { CompletedHandshake } from './completed-handshake.ts';
import { HandshakeState } from './handshake-state.ts';
import { DH_LENGTH, KEM_SEED_LENGTH, PSK_LENGTH } from './key-lengths.ts';
import { type Role, senderOf } from './pattern.ts';
import { type NoiseProtocol, findProtocol } from './protocol-name.ts';

/**
 * One test vector in the format that cacophony and snow publish; bytes as hexadecimal text. The fields with `kem` are
 * ours: ML-KEM key pair seeds (`e1`, 64 bytes) and encapsulation randomness (`ekem1`, 32 bytes).
 */
export interface NoiseVector {
  /** Noise §8. */
  readonly protocol_name: string;
  /** Prologue of the initiator. */
  readonly init_prologue?: string;
  /** Its pre-shared keys, in the order of their tokens. */
  readonly init_psks?: readonly string[];
  /** Its static private key. */
  readonly init_static?: string;
  /** Its ephemeral private key. */
  readonly init_ephemeral?: string;
  /** The static public key of the responder, where it knows that beforehand. */
  readonly init_remote_static?: string;
  /** Seed of its `e1`. */
  readonly init_kem_seed?: string;
  /** Randomness of its `ekem1`. */
  readonly init_kem_randomness?: string;
  /** Prologue of the responder. */
  readonly resp_prologue?: string;
  /** Its pre-shared keys, in the order of their tokens. */
  readonly resp_psks?: readonly string[];
  /** Its static private key. */
  readonly resp_static?: string;
  /** Its ephemeral private key. */
  readonly resp_ephemeral?: string;
  /** The static public key of the initiator, where it knows that beforehand. */
  readonly resp_remote_static?: string;
  /** Seed of its `e1`. */
  readonly resp_kem_seed?: string;
  /** Randomness of its `ekem1`. */
  readonly resp_kem_randomness?: string;
  /** Of the whole handshake, on both sides. */
  readonly handshake_hash?: string;
  /** The vector is wrong on purpose: it passes where replaying it does not succeed. */
  readonly fail?: boolean;
  /** Handshake messages, then transport messages. The sides alternate; in a one-way pattern all are the initiator's. */
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
}

/** What came of a vector, and why where it did not pass. */
export type VectorOutcome = { readonly type: 'passed' } | { readonly type: 'failed' | 'skipped'; readonly reason: string };

/**
 * Runs both sides of a vector on `provider` and compares every byte either side sends or receives: `skipped` where its
 * protocol is not known here, `failed` where something differs or the vector cannot be run.
 */
export function replayVector(provider: CryptoProvider, vector: NoiseVector): VectorOutcome {
  const protocol = findProtocol(vector.protocol_name);
  if ('unknown' in protocol) return { type: 'skipped', reason: protocol.unknown };
  try {
    replay(provider, protocol, vector);
  } catch (error) {
    if (vector.fail === true) return { type: 'passed' };
    return { type: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
  return vector.fail === true ? { type: 'failed', reason: 'it is expected to fail, and succeeds' } : { type: 'passed' };
}

function replay(provider: CryptoProvider, protocol: NoiseProtocol, vector: NoiseVector): void {
  const initiator = side(provider, protocol, vector, 'initiator');
  const responder = side(provider, protocol, vector, 'responder');
  const handshakeLength = protocol.pattern.messages.length;
  if (vector.messages.length < handshakeLength) throw new Error(`only ${vector.messages.length} of ${handshakeLength} handshake messages`);

  for (const [index, message] of vector.messages.slice(0, handshakeLength).entries()) {
    const [sender, receiver] = senderOf(index) === 'initiator' ? [initiator, responder] : [responder, initiator];
    const payload = parseHex(message.payload);
    const out = new Uint8Array(sender.overhead + payload.length);
    const ciphertext = out.subarray(0, sender.write(payload, out));
    assertEqual(`message ${index + 1}`, ciphertext, message.ciphertext);
    assertEqual(`payload ${index + 1}`, receiver.read(ciphertext).payload, message.payload);
  }
  const [ours, theirs] = [initiator.done, responder.done];
  if (ours === undefined || theirs === undefined) throw new Error('the handshake does not end');
  if (vector.handshake_hash !== undefined) {
    assertEqual('handshake hash of the initiator', ours.handshakeHash, vector.handshake_hash);
    assertEqual('handshake hash of the responder', theirs.handshakeHash, vector.handshake_hash);
  }
  replayTransport(vector.messages, handshakeLength, ours.transport(), theirs.transport());
}

function replayTransport(messages: NoiseVector['messages'], from: number, initiator: Transport, responder: Transport): void {
  for (const [offset, message] of messages.slice(from).entries()) {
    const index = from + offset;
    // Noise §7.4: after a one-way handshake, where nobody else can, only the initiator sends.
    const forward = responder.send === undefined || senderOf(index) === 'initiator';
    const [send, receive] = forward ? [initiator.send, responder.receive] : [responder.send, initiator.receive];
    if (send === undefined || receive === undefined) throw new Error(`nobody sends message ${index + 1}`);
    const payload = parseHex(message.payload);
    const ciphertext = new Uint8Array(payload.length + send.overhead);
    send.encryptWithAd(NOTHING, payload, ciphertext);
    assertEqual(`message ${index + 1}`, ciphertext, message.ciphertext);
    const opened = new Uint8Array(payload.length);
    if (!receive.decryptWithAd(NOTHING, ciphertext, opened)) throw new Error(`message ${index + 1} does not authenticate`);
    assertEqual(`payload ${index + 1}`, opened, message.payload);
  }
}

type Transport = ReturnType<CompletedHandshake['transport']>;

const NOTHING = new Uint8Array(0);

function side(provider: CryptoProvider, protocol: NoiseProtocol, vector: NoiseVector, role: Role): HandshakeState {
  const prefix = role === 'initiator' ? 'init' : 'resp';
  const remote: Role = role === 'initiator' ? 'responder' : 'initiator';
  const keyPair = (name: 'static' | 'ephemeral'): DhKeyPair | undefined => {
    const secret = optionalHex(vector[`${prefix}_${name}`], DH_LENGTH);
    return secret && provider.dhKeyPair(secret);
  };
  const kemSeed = optionalHex(vector[`${prefix}_kem_seed`], KEM_SEED_LENGTH);
  return new HandshakeState({
    provider,
    random: scripted(optionalHex(vector[`${prefix}_kem_randomness`]) ?? NOTHING),
    protocol,
    role,
    prologue: optionalHex(vector[`${prefix}_prologue`]),
    psks: vector[`${prefix}_psks`]?.map((psk) => parseHex(psk, PSK_LENGTH)),
    staticKey: keyPair('static'),
    ephemeral: keyPair('ephemeral'),
    kemEphemeral: kemSeed && provider.kemKeyPair(kemSeed),
    // Some files name the remote key in every vector, also where the handshake transfers it.
    remoteStatic: protocol.pattern.preMessages.includes(remote) ? optionalHex(vector[`${prefix}_remote_static`], DH_LENGTH) : undefined,
  });
}

// A vector says every random byte it needs; running out of them means that it does not.
function scripted(bytes: Uint8Array): Random {
  let at = 0;
  return {
    fill(out) {
      if (bytes.length - at < out.length) throw new RangeError('the vector lacks an ephemeral key or encapsulation randomness');
      out.set(bytes.subarray(at, at + out.length));
      at += out.length;
    },
  };
}

function optionalHex(text: string | undefined, length?: number): Uint8Array | undefined {
  return text === undefined ? undefined : parseHex(text, length);
}

function parseHex(text: string, length?: number): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) throw new RangeError('not hexadecimal');
  const bytes = Uint8Array.from({ length: text.length / 2 }, (_, index) => Number.parseInt(text.slice(2 * index, 2 * index + 2), 16));
  if (length !== undefined && bytes.length !== length) throw new RangeError(`${bytes.length} bytes where ${length} are expected`);
  return bytes;
}

function assertEqual(what: string, bytes: Uint8Array, expected: string): void {
  const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (text !== expected.toLowerCase()) throw new Error(`${what} differs: ${text} instead of ${expected}`);
}
