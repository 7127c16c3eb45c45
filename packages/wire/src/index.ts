export { formatAddress, parseAddress } from './address.ts';
export {
  type DecodedDescriptor,
  type DescriptorBody,
  MAX_DESCRIPTOR_ENDPOINTS,
  MAX_DESCRIPTOR_LENGTH,
  MAX_DESCRIPTOR_TEXT_LENGTH,
  NETWORK_ID_LENGTH,
  decodeDescriptor,
  encodeDescriptorBody,
  joinDescriptor,
} from './descriptor.ts';
export {
  type Destination,
  type Endpoint,
  type TransportName,
  decodeEndpoint,
  encodeEndpoint,
  endpointLength,
  formatDestination,
  formatEndpoint,
  parseDestination,
  parseEndpoint,
  sameEndpoint,
} from './endpoint.ts';
export { DecodeError, type ErrorDetails, MatryoshkaError, type StreamProgress, asMatryoshkaError, statedReason } from './errors.ts';
export {
  HANDSHAKE_ANSWER_LENGTH,
  HANDSHAKE_OPENING_LENGTH,
  HANDSHAKE_REQUEST_LENGTH,
  IDENTITY_KEY_LENGTH,
  IDENTITY_PAYLOAD_LENGTH,
  type IdentityProof,
  type PatternName,
  PROTOCOL_VERSION,
  REQUEST_PAYLOAD_LENGTH,
  SELECTOR_LENGTH,
  SIGNATURE_LENGTH,
  type Selector,
  type SuiteName,
  decodeIdentityPayload,
  decodeSelector,
  encodeIdentityPayload,
  encodeSelector,
} from './handshake-layout.ts';
export {
  MESSAGE_HEADER_LENGTH,
  MessageType,
  RELAY_DATA_MORE,
  RELAY_DATA_OVERHEAD,
  STREAM_DATA_OVERHEAD,
  isCritical,
  isNumbered,
} from './messages/header.ts';
export { type Message, decodeBody, decodeMessage, encodeMessage, messageLength, messageType } from './messages/message.ts';
export {
  MEETING_TOKEN_LENGTH,
  PEER_HASH_LENGTH,
  type RelayClose,
  type RelayCreate,
  type RelayCredit,
  type RelayCreditReturn,
  type RelayData,
  type RelayDestination,
  type RelayLimits,
  type RelayMeet,
  type RelayRegister,
  type RelayStatus,
} from './messages/relay-messages.ts';
export {
  type Acknowledge,
  type Allowance,
  type Cover,
  type Goodbye,
  type Hello,
  type KeyUpdate,
  MAX_LISTENING_ENDPOINTS,
  MAX_RECORD_LENGTH,
  MIN_RECORD_LENGTH,
  PING_LENGTH,
  type Part,
  type Ping,
  type Pong,
  RESUME_PROOF_LENGTH,
  type ResumeRefused,
  type Resumed,
  SESSION_ID_LENGTH,
  type SessionNew,
  type SessionResume,
  type Shape,
} from './messages/session-messages.ts';
export type { StreamCredit, StreamData, StreamEnd, StreamOpen, StreamReset } from './messages/stream-messages.ts';
export { Reader } from './reader.ts';
export { REASONS, type Reason, type ReasonCode, type ReasonKind, reasonFromNumber, reasonNumber } from './reasons.ts';
export { Writer, textLength } from './writer.ts';
