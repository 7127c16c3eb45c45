import { InitiatorHandshake, type PeerId } from '@matryoshka/session';
import type { SuiteName } from '@matryoshka/wire';
import type { SessionEnvironment } from './environment.ts';

const HOUR_MS = 3_600_000;

/** The handshake that a session's initiator makes on each of its links. */
export interface InitiateOptions {
  /** Whom the other side must prove to be. */
  readonly demand?: PeerId;
  /** Shows no identity. */
  readonly anonymous?: boolean;
  /** ChaCha20-Poly1305 by default. */
  readonly suite?: SuiteName;
  /** Static key of a verified descriptor: makes the handshake NK, which is always anonymous. */
  readonly remoteStatic?: Uint8Array;
}

/** The hour bucket of the first handshake message (docs/protocol.md §3.2). */
export function hourBucket(unixMs: number): number {
  return Math.floor(unixMs / HOUR_MS);
}

/** Whether the initiator shows no identity. */
export function isAnonymous(options: InitiateOptions): boolean {
  return options.anonymous === true || options.remoteStatic !== undefined;
}

/** Begins a handshake: its request goes out with the dial. The caller abandons it at the end, whatever that is. */
export function initiate(environment: SessionEnvironment, options: InitiateOptions): InitiatorHandshake {
  return new InitiatorHandshake({
    provider: environment.provider,
    random: environment.random,
    keyPairs: environment.keyPairs,
    suite: options.suite ?? 'chacha20poly1305',
    pattern: options.remoteStatic === undefined ? 'XX' : 'NK',
    psk: environment.psk,
    hour: hourBucket(environment.clock.unixMs()),
    ...(!isAnonymous(options) && { identity: environment.identity }),
    ...(options.demand !== undefined && { demand: options.demand }),
    ...(options.remoteStatic !== undefined && { remoteStatic: options.remoteStatic }),
  });
}
