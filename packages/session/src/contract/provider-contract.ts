import type { CryptoProvider } from '../crypto.ts';
import type { Random } from '../random.ts';
import { aeadCases } from './aead-cases.ts';
import type { ContractCase } from './contract-case.ts';
import { detachedCases } from './detached-cases.ts';
import { dhCases } from './dh-cases.ts';
import { hashCases } from './hash-cases.ts';
import { kemCases } from './kem-cases.ts';
import { signatureCases } from './signature-cases.ts';

/**
 * Everything a crypto provider has to do, each requirement as one case for any test runner: published vectors, buffers
 * and lengths, refusals, and agreement with `reference` on inputs drawn from `random`.
 * @param random - a replayable source, so that a failure repeats
 * @param reference - the provider to agree with; `provider` itself leaves the vectors and its own round trips
 * @example
 * for (const { name, run } of providerContract(provider, random, portableProvider)) test(name, run);
 */
export function providerContract(provider: CryptoProvider, random: Random, reference: CryptoProvider = provider): readonly ContractCase[] {
  const setup = { provider, reference, random };
  return [
    ...aeadCases('chacha20poly1305', setup),
    ...aeadCases('aes256gcm', setup),
    ...detachedCases('chacha20poly1305', setup),
    ...detachedCases('aes256gcm', setup),
    ...hashCases(setup),
    ...dhCases(setup),
    ...kemCases(setup),
    ...signatureCases(setup),
  ];
}
