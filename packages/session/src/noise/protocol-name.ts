import type { SuiteName } from '@matryoshka/wire';
import type { HashName } from '../crypto.ts';
import type { HandshakePattern } from './pattern.ts';
import { namedPattern } from './pattern-catalog.ts';

/** A concrete Noise protocol: a pattern and the functions it runs on (Noise §8). */
export interface NoiseProtocol {
  /** Hashed as it is: the first thing both sides must agree on (Noise §5.2). At most 255 bytes. */
  readonly name: string;
  readonly pattern: HandshakePattern;
  readonly suite: SuiteName;
  readonly hash: HashName;
}

const CIPHERS: Readonly<Record<string, SuiteName>> = { ChaChaPoly: 'chacha20poly1305', AESGCM: 'aes256gcm' };
const HASHES: readonly HashName[] = ['SHA256', 'SHA512', 'BLAKE2s', 'BLAKE2b'];

/**
 * The protocol behind a name such as `Noise_XX_25519_ChaChaPoly_SHA256` or
 * `Noise_XXhfs+psk0_25519+MLKEM768_AESGCM_SHA256`.
 * @throws RangeError naming what is not known
 */
export function parseProtocolName(name: string): NoiseProtocol {
  const [prefix, patternName = '', dh, cipher = '', hashName, ...rest] = name.split('_');
  const refuse = (what: string): never => {
    throw new RangeError(`${JSON.stringify(name)} is not a protocol known here: ${what}`);
  };
  if (prefix !== 'Noise' || hashName === undefined || rest.length > 0 || name.length > 255)
    refuse('not of the form Noise_PATTERN_DH_CIPHER_HASH');
  const pattern = namedPattern(patternName);
  // Noise HFS §5: with a KEM in the pattern, and only then, the DH section names one.
  const wanted = pattern.messages.some((tokens) => tokens.includes('e1')) ? '25519+MLKEM768' : '25519';
  if (dh !== wanted) refuse(`key agreement ${wanted} expected`);
  const suite = Object.hasOwn(CIPHERS, cipher) ? (CIPHERS[cipher] as SuiteName) : refuse(`unknown cipher ${cipher}`);
  const hash = HASHES.find((known) => known === hashName) ?? refuse(`unknown hash ${hashName}`);
  return { name, pattern, suite, hash };
}
