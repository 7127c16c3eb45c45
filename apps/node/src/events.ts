import type { ConnectionStatus, HopRange, NodeStatus, RegistrationStatus, RelayLinkStatus } from '@matryoshka/node';

/** An error as JSON shows it. */
export interface ErrorReport {
  readonly code: string;
  readonly message: string;
}

/** What a command tells with `--json`: one of these per line on standard output. */
export type CliEvent =
  /** The node is up. */
  | {
      readonly event: 'ready';
      readonly peerId: string;
      /** What a hidden node has to be called by. */
      readonly staticKey: string;
      readonly listening: readonly string[];
      readonly relayEnabled: boolean;
    }
  /** A connection is open, whoever opened it. */
  | { readonly event: 'connection'; readonly connection: ConnectionStatus }
  | { readonly event: 'suspended'; readonly connection: ConnectionStatus; readonly reason: ErrorReport }
  | { readonly event: 'resumed'; readonly connection: ConnectionStatus }
  /** A relayed or telescoped connection goes on over another path; `gateway`: its first relay, or of an accepted one the last. */
  | {
      readonly event: 'path-changed';
      readonly connection: ConnectionStatus;
      readonly gateway: string | null;
      readonly reason: ErrorReport;
    }
  /** A relay that this node is reached through, or wants to be. */
  | { readonly event: 'registration'; readonly registration: RegistrationStatus }
  /** A peer has passed on a descriptor that no honest peer passes on. */
  | { readonly event: 'descriptor-refused'; readonly peerId: string; readonly reason: ErrorReport }
  | { readonly event: 'disconnected'; readonly connection: ConnectionStatus; readonly reason: ErrorReport }
  /** A peer named with `--peer` could not be reached; there is another attempt in `retryInMs`, if that is there. */
  | { readonly event: 'peer-failed'; readonly peer: string; readonly error: ErrorReport; readonly retryInMs?: number }
  /** A relay link that this node forwards. */
  | { readonly event: 'relay-requested'; readonly link: RelayLinkStatus }
  | { readonly event: 'relay-opened'; readonly link: RelayLinkStatus }
  | { readonly event: 'relay-closed'; readonly link: RelayLinkStatus }
  /** A relay link that ends here was accepted, before any key material was touched. */
  | { readonly event: 'relay-accepted'; readonly previousHop: string | null; readonly endpoint: string; readonly relayPort: string }
  /** `send` begins to connect to its destination. */
  | {
      readonly event: 'connecting';
      readonly destination: string;
      readonly hops?: number | HopRange;
      readonly path?: readonly string[];
      readonly peers: readonly string[];
    }
  /** `send` is connected. `hops`: of a telescoped connection, the far end last. */
  | {
      readonly event: 'connected';
      readonly connection: ConnectionStatus;
      readonly hops?: readonly { readonly peerId: string; readonly endpoint: string }[];
      readonly seconds: number;
    }
  /** `label`: where there may be several transfers at once. */
  | { readonly event: 'progress'; readonly label?: string; readonly bytes: number; readonly size: number }
  | ({ readonly event: 'sent'; readonly file: string; readonly storedAs: string; readonly connectSeconds: number } & Transferred)
  | { readonly event: 'receiving'; readonly name: string; readonly size: number; readonly connection: ConnectionStatus }
  | ({ readonly event: 'received'; readonly file: string; readonly name: string; readonly connection: ConnectionStatus } & Transferred)
  | { readonly event: 'receive-failed'; readonly name?: string; readonly error: ErrorReport; readonly connection: ConnectionStatus }
  /** Somebody used a forward of the configuration in vain. */
  | { readonly event: 'forward-failed'; readonly service: string; readonly error: ErrorReport }
  /** A client of the SOCKS proxy of the configuration was not served. */
  | { readonly event: 'socks-failed'; readonly error: ErrorReport }
  /** The configuration was read again. Keys of `needRestart` have changed and count from the next start on. */
  | { readonly event: 'reloaded'; readonly changed: readonly string[]; readonly needRestart: readonly string[] }
  /** The node is about to stop. */
  | { readonly event: 'stopping' }
  /** The answer to a line `status` on standard input. */
  | { readonly event: 'status'; readonly status: NodeStatus }
  /** The command failed. */
  | { readonly error: ErrorReport };

/** A file that went over whole. */
export interface Transferred {
  /** In bytes. */
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  readonly seconds: number;
}

/** All but failures of a command. */
export type NamedEvent = Extract<CliEvent, { readonly event: string }>;

/** With the time it was told, in milliseconds since 1970, to a part of a millisecond. */
export type TimedEvent = CliEvent & { readonly at: number };
