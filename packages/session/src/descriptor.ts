import { type DescriptorBody, MatryoshkaError, decodeDescriptor, encodeDescriptorBody, joinDescriptor } from '@matryoshka/wire';
import type { CryptoProvider } from './crypto.ts';
import type { Identity } from './identity.ts';
import { type PeerId, peerIdFromKey } from './peer-id.ts';

const utf8 = new TextEncoder();
const LABEL: Uint8Array = utf8.encode('matryoshka descriptor 1');
const NETWORK_ID_LABEL: Uint8Array = utf8.encode('matryoshka network id 1');
const NETWORK_ID_LENGTH = 16;

/** A descriptor is good for a week at most: whoever is gone is forgotten by then (docs/protocol.md §9.1). */
export const MAX_DESCRIPTOR_LIFETIME_MS: number = 7 * 24 * 3_600_000;
/** How far the clock of its owner may be ahead, in milliseconds: as far as in a handshake (docs/protocol.md §3.2). */
const CLOCK_TOLERANCE_MS = 3_600_000;

/** What a descriptor has to be good for. */
export interface DescriptorContext {
  /** From `descriptorNetworkId`, 16 bytes. */
  readonly networkId: Uint8Array;
  /** Milliseconds since 1970. */
  readonly unixMs: number;
  /** Takes one that has expired too: nothing leads there any more, but its version still counts. Default: false. */
  readonly mayHaveExpired?: boolean;
}

/**
 * A descriptor that its peer has signed for this network: only `VerifiedDescriptor.verify` makes one, so that what chooses
 * paths cannot be given a claim. It may expire later: `usableAt` says.
 */
export class VerifiedDescriptor {
  /** Who has signed it. */
  readonly peerId: PeerId;
  /** Its fields; their arrays are its own and must not be changed. */
  readonly body: DescriptorBody;
  /** As it is on the wire, signature included; must not be changed. */
  readonly bytes: Uint8Array;

  private constructor(peerId: PeerId, body: DescriptorBody, bytes: Uint8Array) {
    this.peerId = peerId;
    this.body = body;
    this.bytes = bytes;
  }

  /** Of two of one peer the higher one counts. */
  get version(): number {
    return this.body.version;
  }

  /** Whether it, and the static key in it, may be used at a time in milliseconds since 1970. */
  usableAt(unixMs: number): boolean {
    return unixMs < Math.min(this.body.expiresUnixMs, this.body.staticKeyExpiresUnixMs);
  }

  /**
   * Copies what it keeps of `bytes`.
   * @throws DecodeError `wire.*` for what is no descriptor, or one that would be good for more than a week;
   * MatryoshkaError `session.descriptor-forged`, `session.descriptor-foreign`, `session.descriptor-expired`
   */
  static verify(
    provider: CryptoProvider,
    bytes: Uint8Array,
    { networkId, unixMs, mayHaveExpired = false }: DescriptorContext,
  ): VerifiedDescriptor {
    const own = bytes.slice();
    const { signed, signature, ...body } = decodeDescriptor(own);
    if (!sameBytes(body.networkId, networkId)) throw new MatryoshkaError('session.descriptor-foreign');
    if (!provider.verify(body.identityKey, labelled(signed), signature)) throw new MatryoshkaError('session.descriptor-forged');
    const descriptor = new VerifiedDescriptor(peerIdFromKey(provider, body.identityKey), body, own);
    if (!mayHaveExpired && !descriptor.usableAt(unixMs))
      throw new MatryoshkaError('session.descriptor-expired', `the descriptor of ${descriptor.peerId} has expired`);
    if (body.expiresUnixMs > unixMs + MAX_DESCRIPTOR_LIFETIME_MS + CLOCK_TOLERANCE_MS)
      throw new MatryoshkaError('session.descriptor-expired', `the descriptor of ${descriptor.peerId} would be good for more than a week`);
    return descriptor;
  }
}

/** What a node says of itself, signed; the bytes of a descriptor. @throws RangeError for fields that cannot be written */
export function signDescriptor(identity: Identity, body: Omit<DescriptorBody, 'identityKey'>): Uint8Array {
  const signed = encodeDescriptorBody({ ...body, identityKey: identity.publicKey });
  return joinDescriptor(signed, identity.sign(labelled(signed)));
}

/** Names the network of a pre-shared key (see `networkKeyPsk`), 16 bytes; it does not give the key away. */
export function descriptorNetworkId(provider: CryptoProvider, psk: Uint8Array): Uint8Array {
  return provider.hash('SHA256').digest(NETWORK_ID_LABEL, psk).slice(0, NETWORK_ID_LENGTH);
}

function labelled(signed: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(LABEL.length + signed.length);
  bytes.set(LABEL);
  bytes.set(signed, LABEL.length);
  return bytes;
}

/** Nothing here is secret. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
