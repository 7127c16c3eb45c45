import type { RelayDestination } from '@matryoshka/wire';

/** A destination that borrows from nothing. */
export function copyDestination(destination: RelayDestination): RelayDestination {
  return {
    ...(destination.endpoint !== undefined && { endpoint: destination.endpoint }),
    ...(destination.peer !== undefined && { peer: destination.peer.slice() }),
    ...(destination.relay !== undefined && { relay: destination.relay.slice() }),
  };
}
