import { loadNativeProvider } from '@matryoshka/native';
import { type CryptoProvider, KEY_LENGTH, NONCE_LENGTH, TAG_LENGTH, portableProvider } from '@matryoshka/session';
import { serveRole } from '../processes/role.ts';
import type { ProviderName, SealedBy } from './sealed-by.ts';

// Seals and opens records with one provider after the other; nothing else runs in this process.

/** Calls between two looks at the clock, in bytes sealed: some 50 µs. */
const BATCH_BYTES = 32 * 1024;
const ASSOCIATED = new Uint8Array(0);

/** What the role answers to. */
export interface CryptoPeerCommands {
  /** Seals or opens records of one size for so long. */
  run(job: SealedBy, durationMs: number): { readonly operations: number; readonly seconds: number };
}

/** Always libsodium, always OpenSSL, or what users get. */
function provider(name: ProviderName): CryptoProvider {
  if (name === 'portable') return portableProvider;
  const thresholds = { native: {}, sodium: { nodeCipherFromBytes: Infinity }, openssl: { nodeCipherFromBytes: 0 } };
  const loaded = loadNativeProvider(thresholds[name]);
  if (loaded === undefined) throw new Error('the native provider cannot be loaded');
  return loaded;
}

serveRole<CryptoPeerCommands>({
  run({ name, suite, operation, length }, durationMs) {
    const aead = provider(name).aead(suite, new Uint8Array(KEY_LENGTH).fill(1));
    const nonce = new Uint8Array(NONCE_LENGTH);
    const plaintext = new Uint8Array(length).fill(7);
    const record = new Uint8Array(length + TAG_LENGTH);
    aead.seal(nonce, ASSOCIATED, plaintext, record);
    const batch = Math.max(1, Math.round(BATCH_BYTES / length));
    let operations = 0;
    const begunAt = performance.now();
    const deadline = begunAt + durationMs;
    // One nonce for all: no record leaves this process.
    const once =
      operation === 'seal'
        ? () => aead.seal(nonce, ASSOCIATED, plaintext, record) > 0
        : () => aead.open(nonce, ASSOCIATED, record, plaintext);
    do {
      for (let i = 0; i < batch; i++) if (!once()) throw new Error('a record does not open');
      operations += batch;
    } while (performance.now() < deadline);
    const seconds = (performance.now() - begunAt) / 1000;
    aead.wipe();
    return { operations, seconds };
  },
});
