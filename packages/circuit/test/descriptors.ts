import { type Identity, VerifiedDescriptor, createIdentity, descriptorNetworkId, networkKeyPsk, signDescriptor } from '@matryoshka/session';
import { seededRandom, simulatedProvider } from '@matryoshka/simulation';
import { type DescriptorBody, parseEndpoint } from '@matryoshka/wire';

const provider = simulatedProvider();
const networkId = descriptorNetworkId(provider, networkKeyPsk(provider));

/** When descriptors of tests are made, unless they say otherwise. */
export const NOW_UNIX_MS = 1_700_000_000_000;

export function identityOf(seed: number): Identity {
  return createIdentity(provider, seededRandom(seed));
}

/** The signed bytes of a descriptor of the peer with this seed: a relay at 10.seed.0.1:999 for a day, but for `changes`. */
export function descriptorBytes(seed: number, changes: Partial<DescriptorBody> = {}, unixMs = NOW_UNIX_MS): Uint8Array {
  const expiresUnixMs = unixMs + 24 * 3_600_000;
  return signDescriptor(identityOf(seed), {
    version: 1,
    expiresUnixMs,
    networkId,
    staticKey: new Uint8Array(32).fill(seed),
    staticKeyExpiresUnixMs: expiresUnixMs + 24 * 3_600_000,
    relays: true,
    bandwidthBytesPerSecond: 0,
    limits: { bytesPerSecond: 0, maxBytes: 0, maxAgeMs: 0 },
    operator: '',
    software: 'test',
    endpoints: [parseEndpoint(`10.${seed & 255}.${seed >> 8}.1:999`)],
    ...changes,
  });
}

/** The same, verified; also one that expires at once. */
export function descriptorOf(seed: number, changes: Partial<DescriptorBody> = {}, unixMs = NOW_UNIX_MS): VerifiedDescriptor {
  return verifyDescriptor(descriptorBytes(seed, changes, unixMs), unixMs);
}

export function verifyDescriptor(bytes: Uint8Array, unixMs = NOW_UNIX_MS): VerifiedDescriptor {
  return VerifiedDescriptor.verify(provider, bytes, { networkId, unixMs });
}
