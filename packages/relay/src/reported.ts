import { MatryoshkaError, REASONS, type ReasonCode } from '@matryoshka/wire';

/**
 * What a refusal that comes from somebody else may say to whoever made the request: what the destination or a relay does
 * not want or cannot do. Anything else, such as whose fault it would be, or what exactly a dial failed with, is nobody's
 * business further away: then the destination could not be reached (R17).
 */
export function reportedRefusal(code: ReasonCode): ReasonCode {
  const { kind } = REASONS[code];
  const ofLinks = code.startsWith('relay.') || code.startsWith('session.');
  return ofLinks && (kind === 'policy' || kind === 'network' || kind === 'authentication') ? code : 'relay.destination-unreachable';
}

/** What the end of a link may say: not that this node, or its user, is at fault. */
export function reportedEnd(code: ReasonCode): ReasonCode {
  const { kind } = REASONS[code];
  return kind === 'bug' || (kind === 'caller' && code !== 'aborted') ? 'closed' : code;
}

/** The same error where it may be told as it is, else one that may be, and was made of it. */
export function reported(error: MatryoshkaError, told: (code: ReasonCode) => ReasonCode): MatryoshkaError {
  const code = told(error.code);
  if (code === error.code) return error;
  const { limits, retryAfterMs } = error;
  return new MatryoshkaError(code, undefined, { cause: error, ...(limits && { limits }), ...(retryAfterMs && { retryAfterMs }) });
}
