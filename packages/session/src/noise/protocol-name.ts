import type { SuiteName } from '@matryoshka/wire';
import type { HashName } from '../crypto.ts';
import type { HandshakePattern } from './pattern.ts';
import { namedPattern } from './pattern-catalog.ts';

/** A concrete Noise protocol: a pattern and the functions it runs on (Noise §8). */
export interface NoiseProtocol {
  /** Hashed as it is: the first thing both sides must agree on (Noise §5.2). At most 255 bytes. */
  readonly name: string;
  /** Its handshake pattern, modifiers applied. */
  readonly pattern: HandshakePattern;
  /** Its AEAD. */
  readonly suite: SuiteName;
  /** Its hash function. */
  readonly hash: HashName;
}

const CIPHERS: Readonly<Record<string, SuiteName>> = { ChaChaPoly: 'chacha20poly1305', AESGCM: 'aes256gcm' };
const HASHES: readonly HashName[] = ['SHA256', 'SHA512', 'BLAKE2s', 'BLAKE2b'];
const KEY_AGREEMENTS: readonly string[] = ['25519', '25519+MLKEM768'];

/**
 * The protocol behind a name such as `Noise_XX_25519_ChaChaPoly_SHA256` or
 * `Noise_XXhfs+psk0_25519+MLKEM768_AESGCM_SHA256`.
 * @param own - token text of patterns that are not in the specification, by name (see `parsePattern`); the modifiers
 * come from the protocol name
 * @throws RangeError naming what is not known
 */
export function parseProtocolName(name: string, own?: Readonly<Record<string, string>>): NoiseProtocol {
  const found = findProtocol(name, own);
  if ('unknown' in found) throw new RangeError(`${JSON.stringify(name)} is not a protocol known here: ${found.unknown}`);
  return found;
}

/** The same, saying in a few words what is not known. */
export function findProtocol(name: string, own?: Readonly<Record<string, string>>): NoiseProtocol | { readonly unknown: string } {
  const [prefix, patternName = '', dh = '', cipher = '', hashName = '', ...rest] = name.split('_');
  if (prefix !== 'Noise' || hashName === '' || rest.length > 0) return { unknown: 'not of the form Noise_PATTERN_DH_CIPHER_HASH' };
  // Noise §8
  if (name.length > 255) return { unknown: 'longer than 255 bytes' };
  if (!KEY_AGREEMENTS.includes(dh)) return { unknown: `unknown key agreement ${dh}` };
  const suite = Object.hasOwn(CIPHERS, cipher) ? CIPHERS[cipher] : undefined;
  if (suite === undefined) return { unknown: `unknown cipher ${cipher}` };
  const hash = HASHES.find((known) => known === hashName);
  if (hash === undefined) return { unknown: `unknown hash ${hashName}` };
  const pattern = patternOrReason(patternName, own);
  if (typeof pattern === 'string') return { unknown: pattern };
  // Noise HFS §5: with a KEM in the pattern, and only then, the DH section names one.
  const wanted = pattern.messages.some((tokens) => tokens.includes('e1')) ? '25519+MLKEM768' : '25519';
  if (dh !== wanted) return { unknown: `pattern ${patternName} goes with key agreement ${wanted}, not ${dh}` };
  return { name, pattern, suite, hash };
}

function patternOrReason(name: string, own: Readonly<Record<string, string>> | undefined): HandshakePattern | string {
  try {
    return namedPattern(name, own);
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}
