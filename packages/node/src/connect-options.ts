import type { PathPolicy } from '@matryoshka/circuit';
import type { TrafficOption } from './traffic-options.ts';

/** How a connection is made; by default directly. */
export interface ConnectOptions {
  /**
   * Relayed over this many hops, 1 to 15, or as many as are drawn from a range; the relays choose the next ones (R2). 1: doubly
   * encrypted, through the peer itself.
   */
  readonly hops?: number | HopRange;
  /** The first relay: a peer id, or `peerId@host:port` to connect to it first (R18). At random by default. */
  readonly gateway?: string;
  /** Telescoped through these peers, `peerId[+staticKey]@host:port` each, in this order. */
  readonly path?: readonly (string | PathHop)[];
  /** Telescoped through relays that are chosen from the directory, and through others when one of them is lost. */
  readonly circuit?: CircuitOptions;
  /** Shows no identity to the peer. Default: true for telescoped connections, false for others. */
  readonly anonymous?: boolean;
  /**
   * X25519 static key of the peer where it is known, 32 bytes or their text (`mts1…`): the handshake is made to it, as it
   * has to be with a hidden node. Shows no identity. The same as to name the peer as `peerId+staticKey`, before which it goes.
   */
  readonly staticKey?: Uint8Array | string;
  /** Allows a relayed connection to an endpoint without a peer id: whoever the last relay likes may answer (R11). */
  readonly unverifiedDestination?: boolean;
  /**
   * How the connection looks to those who see its bytes, those who relay it among them; by default as all of this node. Of a
   * telescoped one it holds for every hop but the first, whose connection others may use, too.
   */
  readonly traffic?: TrafficOption;
  /** Gives up; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** Numbers of hops that one is drawn from, each as likely; both included. */
export interface HopRange {
  /** 1 to 15. */
  readonly min: number;
  /** `min` to 15. */
  readonly max: number;
}

/** Where a connection moves to; what is left out stays as it was. */
export interface RerouteOptions extends Pick<ConnectOptions, 'hops' | 'gateway'> {
  /** Gives up before the old path is left: `aborted`. */
  readonly signal?: AbortSignal;
}

/** What a circuit is to be like whose relays are chosen here. */
export interface CircuitOptions {
  /** Hops, the peer included, 2 to 15; default 4. 1: directly. */
  readonly hops?: number;
  /** Chooses the relays; that of the node by default. */
  readonly policy?: PathPolicy;
  /** Connections with the same key may share relays; without one nothing is shared but the first hop. */
  readonly isolation?: string;
}

/** A hop whose static key is known, which saves the proof of identity its round: `NKhfs` instead of `XXhfs`. */
export interface PathHop {
  /** `peerId@host:port`; `peerId+staticKey@host:port` says both in one text. */
  readonly peer: string;
  /** X25519 static key of a descriptor that was verified, 32 bytes or their text (`mts1…`). */
  readonly staticKey: Uint8Array | string;
}
