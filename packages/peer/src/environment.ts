import type { CryptoProvider, DhKeyPair, Identity, KeyPairSource, Random, SlabPool } from '@matryoshka/session';
import type { Clock } from '@matryoshka/transport';
import type { Hello, MatryoshkaError, Message } from '@matryoshka/wire';
import type { Door } from './door/door.ts';
import type { KeyUpdateSettings } from './key-update-settings.ts';
import type { Protocols } from './protocols.ts';
import type { ResumeSettings } from './resume-settings.ts';
import type { Session } from './session.ts';
import type { TrafficSettings } from './traffic/traffic-settings.ts';

/** The messages of relay links, as they are dispatched. */
export type RelayMessage = Extract<Message, { type: `relay-${string}` }>;

/** Who handles relay messages: the `relay` package, of which this one knows nothing else. */
export interface RelayHandler {
  /** Relay data, the hot message; `bytes` is a view that is valid during the call and may be overwritten. */
  data(session: Session, portHigh: number, portLow: number, flags: number, bytes: Uint8Array): void;
  /** Any other relay message. What it throws ends the session with that reason. */
  message(session: Session, message: RelayMessage): void;
  /** Nothing more comes on it: the links that it carries are lost. */
  sessionClosed(session: Session, reason: MatryoshkaError): void;
  /** Nothing gets through for now: the links that the session carries stall. */
  sessionStalled(session: Session): void;
  /** It does again. `resumed`: over another link, so that the newest credit of each relay link has to be told anew. */
  sessionFlowing(session: Session, resumed: boolean): void;
}

/** What all sessions of a node share. */
export interface SessionEnvironment {
  /** Cryptography. */
  readonly provider: CryptoProvider;
  /** Randomness. */
  readonly random: Random;
  /** Where the one-time key pairs of handshakes come from; made of `random` on the spot by default. */
  readonly keyPairs?: KeyPairSource | undefined;
  /** Time. */
  readonly clock: Clock;
  /** Where records are assembled. */
  readonly slabs: SlabPool;
  /** Who this node is. */
  readonly identity: Identity;
  /** Answers handshakes made to our known static key (NK). */
  readonly staticKey: DhKeyPair;
  /** Pre-shared key from the network key, 32 bytes. */
  readonly psk: Uint8Array;
  /** The handlers of incoming streams. */
  readonly protocols: Protocols;
  /** What becomes of relay messages. */
  readonly relay: RelayHandler;
  /** Whether sessions whose initiator shows no identity are welcome. */
  readonly acceptAnonymous: boolean;
  /** How long a handshake may take on each side, in milliseconds. */
  readonly handshakeTimeoutMs: number;
  /** Decides over those who come; without it all may who are welcome by `acceptAnonymous`. */
  readonly door?: Door;
  /** Handshakes that may be in progress at once on the accepting side; above it the oldest of the fullest source goes. */
  readonly maxHandshakes: number;
  /** How sessions outlive their links; without it they end with them. */
  readonly resume?: ResumeSettings;
  /** How the records of sessions look from outside that were told nothing else; `plain` by default. */
  readonly traffic?: TrafficSettings;
  /** When keys change; the limits of docs/protocol.md §4.4 by default. */
  readonly keyUpdate?: KeyUpdateSettings;
  /** A name for the next session, never given twice. */
  nextSessionId(): string;
  /** What is said of this node on `session`. */
  hello(session: Session): Hello;
  /** The other side has said of itself what it says first, or something else than before. */
  onHello(session: Session, hello: Hello): void;
  /** Its handshake is done. */
  onOpened(session: Session): void;
  /** Its link is gone, and it waits for the next one. */
  onSuspended?(session: Session, reason: MatryoshkaError): void;
  /** It has its next link. */
  onResumed?(session: Session): void;
  /** It is over, and `reason` says why; called once. */
  onClosed(session: Session, reason: MatryoshkaError): void;
  /** The other side of a session has sent what it must not, which ends it: its own deed, whoever is behind it. */
  onMisbehaved?(session: Session, fault: MatryoshkaError): void;
}
