export { type AddressClass, addressClass, canonicalAddress } from './address-class.ts';
export {
  AddressAdmission,
  type Admission,
  type AdmissionRefusal,
  type AdmissionSettings,
  type Arrival,
  DEFAULT_ADMISSION_SETTINGS,
  OPEN_ADMISSION,
  sourceNetwork,
} from './admission.ts';
export { type Rate, TokenBucket } from './admission-rate.ts';
export { FairTable, type Place } from './admission-table.ts';
export { type NetworkBits, networkOf, sameNetwork } from './address-network.ts';
export type { Clock, Timer } from './clock.ts';
export { FRAME_HEADER_LENGTH, type LengthMask, writeFrameHeader } from './frame-decoder.ts';
export { IpFilter, type IpNetwork, IpNetworks, parseIpNetwork } from './ip-filter.ts';
export {
  type Accept,
  type CloseReason,
  type Dialer,
  type Link,
  type LinkHandler,
  type LinkInfo,
  type Listener,
  MAX_MESSAGE_LENGTH,
  type MessageTransportFactory,
  type Transport,
  type TransportContext,
  type TransportFactory,
  UNSENT_LIMIT_BYTES,
} from './link.ts';
export { type BreakOptions, type MemoryLinkOptions, memoryLink } from './memory-link.ts';
export { type MemoryNetwork, type MemoryNetworkOptions, type MemoryWire, type WireSide, memoryNetwork } from './memory-network.ts';
export { linkMessageLength } from './message-length.ts';
export { ReplayMemory } from './replay-memory.ts';
export { FramingContext, StreamFraming } from './stream-framing.ts';
export { systemClock } from './system-clock.ts';
export { MAX_VEILED_MESSAGE_LENGTH } from './veil.ts';
