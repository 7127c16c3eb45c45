import { TAG_LENGTH } from '../crypto.ts';
import { DH_LENGTH, KEM_CIPHERTEXT_LENGTH, KEM_PUBLIC_KEY_LENGTH } from './key-lengths.ts';
import { type HandshakePattern, isDh } from './pattern.ts';

/** Bytes of each message of a pattern besides its payload: keys, and tags once there is a key to encrypt with. */
export function messageOverheads(pattern: HandshakePattern): number[] {
  const usesPsk = pattern.messages.some((tokens) => tokens.includes('psk'));
  let tag = 0;
  return pattern.messages.map((tokens) => {
    let length = 0;
    for (const token of tokens) {
      if (token === 'e') {
        length += DH_LENGTH;
        // Noise §9.2
        if (usesPsk) tag = TAG_LENGTH;
      } else if (token === 's') {
        length += DH_LENGTH + tag;
      } else if (token === 'e1') {
        length += KEM_PUBLIC_KEY_LENGTH + tag;
      } else if (token === 'ekem1') {
        length += KEM_CIPHERTEXT_LENGTH + tag;
        tag = TAG_LENGTH;
      } else if (token === 'psk' || isDh(token)) {
        tag = TAG_LENGTH;
      }
    }
    return length + tag;
  });
}
