import type { RelayLimits } from './messages/relay-messages.ts';
import { REASONS, type ReasonCode, type ReasonKind } from './reasons.ts';

/** Everything an error of this project may be told at construction. */
export interface ErrorDetails {
  /** What happened before it; never sent to anyone. */
  readonly cause?: unknown;
  /** After which time another attempt may succeed, in milliseconds (`relay.rate-limited`, `relay.busy`). */
  readonly retryAfterMs?: number;
  /** What a relay that refused allows one link (R16). */
  readonly limits?: RelayLimits;
  /** How far a stream had come that ended with its session. */
  readonly progress?: StreamProgress;
}

/** How many bytes of a stream are known to have got how far, when nothing more can be done for them. */
export interface StreamProgress {
  /** Handed to the session here. */
  readonly sentBytes: number;
  /** Received by the session at the other side, at least. */
  readonly receivedBytes: number;
  /** Consumed there, at least. */
  readonly consumedBytes: number;
}

/**
 * The one base of all errors. `code` is stable and is what programs switch on; it travels on the wire as a number
 * (docs/protocol.md §10). `message` is for people and is no API.
 */
export class MatryoshkaError extends Error {
  /** Stable code, e.g. `relay.disabled`. */
  readonly code: ReasonCode;
  /** Who is at fault, which is what decides the right reaction. */
  readonly kind: ReasonKind;
  /** After which time another attempt may succeed, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** What a relay that refused allows one link, as far as it has limits (R16). */
  readonly limits: RelayLimits | undefined;
  /** Of a stream that ended because its session could not go on. */
  readonly progress: StreamProgress | undefined;

  constructor(code: ReasonCode, message?: string, details: ErrorDetails = {}) {
    super(message ?? REASONS[code].text, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.kind = REASONS[code].kind;
    this.retryAfterMs = details.retryAfterMs;
    this.limits = details.limits;
    this.progress = details.progress;
  }
}

/** Bytes that are no valid encoding. The link (or epoch) they came on ends. */
export class DecodeError extends MatryoshkaError {
  /** Where in the decoded bytes, counted from their beginning. */
  readonly offset: number;

  constructor(code: ReasonCode, message: string, offset: number) {
    super(code, `${message} (at byte ${offset})`);
    this.offset = offset;
  }
}

const V8Error = Error as { stackTraceLimit?: number | undefined };

/**
 * The reason of an end that somebody asked for, here or at the other side. It has no stack: where it was made says nothing,
 * and every session and relay link that ends in good order makes one, which is a large part of what the end costs.
 */
export function statedReason(code: ReasonCode): MatryoshkaError {
  // Of V8; elsewhere it changes nothing.
  const { stackTraceLimit } = V8Error;
  V8Error.stackTraceLimit = 0;
  try {
    return new MatryoshkaError(code);
  } finally {
    V8Error.stackTraceLimit = stackTraceLimit;
  }
}

/** `error` itself if it is one of ours, otherwise wrapped under `code` with its message kept. */
export function asMatryoshkaError(error: unknown, code: ReasonCode): MatryoshkaError {
  if (error instanceof MatryoshkaError) return error;
  const message = error instanceof Error ? `${REASONS[code].text}: ${error.message}` : undefined;
  return new MatryoshkaError(code, message, { cause: error });
}
