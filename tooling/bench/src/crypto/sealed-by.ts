import type { CryptoProvider } from '@matryoshka/session';

export type SuiteName = CryptoProvider['preferredSuite'];

/** The two providers, and the native one held to either of its libraries. */
export type ProviderName = 'native' | 'portable' | 'sodium' | 'openssl';

/** Who does what to records of which length. */
export interface SealedBy {
  readonly name: ProviderName;
  readonly suite: SuiteName;
  readonly operation: 'seal' | 'open';
  /** Of the plaintext, in bytes. */
  readonly length: number;
}
