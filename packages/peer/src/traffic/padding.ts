import { MAX_OWN_PLAINTEXT_LENGTH, type Random, TAG_LENGTH, randomBelow } from '@matryoshka/session';
import type { Padding } from './traffic-settings.ts';

/** What is shorter becomes so long, in bytes: acknowledgements, credit, pings and the first records of a session look alike. */
const MIN_PADME_LENGTH = 64;

/**
 * Length that a record of `length` bytes of plaintext is padded to. Never beyond what a session may put into a record of its own:
 * so sizes do not show how deeply it is nested (docs/protocol.md §4.1). Longer ones stay as they are.
 */
export function paddedLength(padding: Padding, length: number, random: Random): number {
  switch (padding.kind) {
    case 'none':
      return length;
    case 'random':
      return limited(length, length + randomBelow(random, padding.maxBytes + 1));
    case 'padme':
      return limited(length, Math.max(MIN_PADME_LENGTH, padme(length)));
    case 'constant':
      return Math.max(length, padding.recordLength - TAG_LENGTH);
    default:
      return padding satisfies never;
  }
}

function limited(length: number, padded: number): number {
  return Math.max(length, Math.min(padded, MAX_OWN_PLAINTEXT_LENGTH));
}

/**
 * Padmé: rounds up to a number whose binary form, as a floating point number, has no longer mantissa than exponent. A length
 * tells O(log log) bits and grows by 12 % at most, less the longer it is. Nikitin, Barman, Lueks, Underwood, Hubaux, Ford,
 * "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PoPETs 2019, Algorithm 1.
 */
export function padme(length: number): number {
  if (length < 2) return length;
  const exponent = 31 - Math.clz32(length);
  const mantissaBits = 32 - Math.clz32(exponent);
  const mask = 2 ** (exponent - mantissaBits) - 1;
  return (length + mask) & ~mask;
}
