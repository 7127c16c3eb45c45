export { CreditPool, MAX_RELAY_WINDOW_BYTES, MIN_RELAY_WINDOW_BYTES, RELAY_MEMORY_BYTES } from './credit-pool.ts';
export { type GuardedAddressClass, checkDial } from './dial-policy.ts';
export { endpointsOf, peerIdOf } from './neighbours.ts';
export { type AcceptRequest, DEFAULT_RELAY_OPTIONS, type RelayOptions } from './options.ts';
export { MAX_NESTING, RelayLink } from './relay-link.ts';
export { MAX_HOPS, type OpenRelayLink, type RelayHost, RelayService } from './relay-service.ts';
export { type Candidate, type RelayRequest, type RoutingPolicy, randomNextHop } from './routing-policy.ts';
export { ServedLink, ServedSide } from './served-link.ts';
