export { type AddressClass, addressClass, canonicalAddress } from './address-class.ts';
export { type NetworkBits, networkOf, sameNetwork } from './address-network.ts';
export type { Clock, Timer } from './clock.ts';
export { FRAME_HEADER_LENGTH, FrameDecoder, writeFrameHeader } from './frame-decoder.ts';
export {
  type Accept,
  type CloseReason,
  type Dialer,
  type Link,
  type LinkHandler,
  type LinkInfo,
  type Listener,
  MAX_MESSAGE_LENGTH,
  type Transport,
  type TransportFactory,
  UNSENT_LIMIT_BYTES,
} from './link.ts';
export { type BreakOptions, type MemoryLinkOptions, memoryLink } from './memory-link.ts';
export { type MemoryNetwork, type MemoryNetworkOptions, type MemoryWire, type WireSide, memoryNetwork } from './memory-network.ts';
export { linkMessageLength } from './message-length.ts';
export { systemClock } from './system-clock.ts';
