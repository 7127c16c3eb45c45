import { type Aead, type CryptoProvider, type DetachedAead, TAG_LENGTH } from '../src/crypto.ts';

const NOTHING = new Uint8Array(0);

/** `provider` whose AEADs also seal and open into memory of their own, from `fromLength` bytes of plaintext on. */
export function detachedProvider(
  provider: CryptoProvider,
  fromLength: number,
  change: (detached: DetachedAead, aead: Aead) => Partial<DetachedAead> = () => ({}),
): CryptoProvider {
  return {
    ...provider,
    aead: (suite, key) => {
      const aead = provider.aead(suite, key);
      const detached: DetachedAead = {
        fromLength,
        seal: (nonce, plaintext) => {
          const sealed = new Uint8Array(plaintext.length + TAG_LENGTH);
          aead.seal(nonce, NOTHING, plaintext, sealed);
          return { ciphertext: sealed.slice(0, plaintext.length), tag: sealed.slice(plaintext.length) };
        },
        open: (nonce, ciphertext) => {
          if (ciphertext.length < TAG_LENGTH) return undefined;
          const plaintext = new Uint8Array(ciphertext.length - TAG_LENGTH);
          return aead.open(nonce, NOTHING, ciphertext, plaintext) ? plaintext : undefined;
        },
      };
      return {
        seal: (...args) => aead.seal(...args),
        open: (...args) => aead.open(...args),
        wipe: () => aead.wipe(),
        detached: { ...detached, ...change(detached, aead) },
      };
    },
  };
}
