export {
  type Aead,
  type CryptoProvider,
  type DetachedAead,
  type DhKeyPair,
  type Hash,
  type HashName,
  KEY_LENGTH,
  type KemKeyPair,
  NONCE_LENGTH,
  type SigningKey,
  TAG_LENGTH,
} from './crypto.ts';
export { ACKNOWLEDGE_AFTER_BYTES, ACKNOWLEDGE_AFTER_MS, Delivery, RETAINED_LIMIT_BYTES } from './delivery.ts';
export {
  type DescriptorContext,
  MAX_DESCRIPTOR_LIFETIME_MS,
  VerifiedDescriptor,
  descriptorNetworkId,
  signDescriptor,
} from './descriptor.ts';
export { type SessionKeys, networkKeyPsk } from './handshake.ts';
export { IDENTITY_SEED_LENGTH, Identity, createIdentity, identityFromSeed } from './identity.ts';
export { InitiatorHandshake, type InitiatorOptions } from './initiator-handshake.ts';
export type { CipherState } from './noise/cipher-state.ts';
export { KeyPairReserve } from './key-pair-reserve.ts';
export { type KeyPairSource, freshKeyPairs } from './key-pair-source.ts';
export { type KeyExchangeAnswer, type KeyExchangeRequest, KeyExchange, answerKeyExchange } from './key-update.ts';
export { type CompletedHandshake } from './noise/completed-handshake.ts';
export { type HandshakeOptions, HandshakeState, type ReceivedPayload } from './noise/handshake-state.ts';
export { namedPattern } from './noise/pattern-catalog.ts';
export { parsePattern } from './noise/pattern-text.ts';
export type { HandshakePattern, Role, Token } from './noise/pattern.ts';
export { type NoiseProtocol, parseProtocolName } from './noise/protocol-name.ts';
export { PEER_ID_LENGTH, type PeerId, parsePeerId, peerHash, peerIdFromHash, peerIdFromKey } from './peer-id.ts';
export { portableProvider } from './portable/provider.ts';
export { Queue } from './queue.ts';
export { type Random, randomBelow, randomBetween, randomBytes, randomItem, randomU64 } from './random.ts';
export { ACKNOWLEDGE_LENGTH, MAX_OWN_PLAINTEXT_LENGTH, MAX_PLAINTEXT_LENGTH, RecordWriter } from './record-writer.ts';
export { MAX_RECORDS_PER_KEY, RecordKeys } from './records.ts';
export { type AnonymousPeer, type ProofContext, type RemoteIdentity, VerifiedPeer } from './remote-identity.ts';
export { type ResumeClaim, resumeProof, verifyResumeProof } from './resume-proof.ts';
export { ResponderHandshake, type ResponderOptions } from './responder-handshake.ts';
export { SealedRecord } from './sealed-record.ts';
export { SLAB_LENGTH, Slab, SlabPool } from './slab.ts';
export { formatStaticKey, parseStaticKey, staticKeyOf } from './static-key.ts';
